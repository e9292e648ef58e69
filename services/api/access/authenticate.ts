import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Instant } from "../../../shared/core/line/account.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { findApiKey, recordKeyUse, type Scope } from "../../../shared/ledger/access/api-keys.ts";
import { isSame, readSecret, type Secret } from "../../../shared/ledger/access/api-secrets.ts";
import { findDashboardToken } from "../../../shared/ledger/access/dashboard-tokens.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { Problem } from "../problem.ts";

/** Who asks: a product with a key, or a customer with a token for one account. */
type Caller =
  | { readonly kind: "key"; readonly keyId: string; readonly scopes: readonly Scope[] }
  | { readonly kind: "token"; readonly accountId: string; readonly endsAt: Instant };

/** Whom a route lets in. Nothing is open unless it says so. */
type Access = Scope | "open";

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /** Whether a dashboard token may use it, for its own account. */
    byToken?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/** A key that was found is believed for so long: revoking one takes effect within it. */
const BELIEVED_MS = 2_000;
const MOST_BELIEVED = 10_000;
const NOTE_USE_EVERY_MS = 60_000;

interface Believed {
  readonly caller: Caller;
  readonly until: Instant;
}

/**
 * Asks every request but those of open routes who is asking, and lets in whom the route names. An
 * account is open to keys with the route's scope, and to tokens made for exactly that account.
 */
export function authenticate(
  app: FastifyInstance,
  { database, now }: { readonly database: Database; readonly now: () => Instant },
): void {
  const believed = new Map<string, Believed>();
  const noted = new Map<string, Instant>();

  app.decorateRequest("caller", null);
  app.addHook("onRequest", async (request) => {
    const { access = "admin", byToken = false } = request.routeOptions.config;
    if (access === "open" || request.is404) return;
    const caller = await callerOf(request);
    request.caller = caller;
    if (caller.kind === "token") {
      if (!byToken || accountOf(request) !== caller.accountId)
        throw notAllowed("the token does not give access to this");
      return;
    }
    if (!caller.scopes.includes(access) && !caller.scopes.includes("admin")) {
      throw notAllowed(`the key lacks the scope ${access}`);
    }
  });

  async function callerOf(request: FastifyRequest): Promise<Caller> {
    const [scheme = "", given = ""] = (request.headers.authorization ?? "").split(" ");
    const text = scheme.toLowerCase() === "bearer" ? given : "";
    const at = now();
    const standing = believed.get(text);
    const caller =
      standing !== undefined && standing.until > at ? standing.caller : await find(text, at);
    if (caller === null) throw unknown("the key or token is not known, was revoked or has expired");
    if (caller.kind === "token" && caller.endsAt <= at) throw unknown("the token has expired");
    if (standing?.caller !== caller) believe(text, caller, at);
    return caller;
  }

  function believe(text: string, caller: Caller, at: Instant): void {
    if (believed.size >= MOST_BELIEVED) believed.clear();
    believed.set(text, { caller, until: at + BELIEVED_MS });
  }

  async function find(text: string, at: Instant): Promise<Caller | null> {
    const secret = readSecret(text);
    if (secret === null) {
      throw unknown("send Authorization: Bearer with an API key or a dashboard token");
    }
    return secret.kind === "token" ? findToken(secret) : findKey(secret, at);
  }

  async function findToken({ accountId: text, hash }: TokenSecret): Promise<Caller | null> {
    const accountId = accountIdOf(text);
    const endsAt = accountId && (await findDashboardToken(database, accountId, hash));
    return endsAt === null ? null : { kind: "token", accountId: text, endsAt };
  }

  async function findKey({ keyId, hash }: KeySecret, at: Instant): Promise<Caller | null> {
    const found = await findApiKey(database, keyId);
    if (found === null || found.key.revokedAt !== null) return null;
    if (!isSame(found.secretHash, hash)) return null;
    if (at - (noted.get(keyId) ?? 0) >= NOTE_USE_EVERY_MS) {
      noted.set(keyId, at);
      await recordKeyUse(database, keyId, at);
    }
    return { kind: "key", keyId, scopes: found.key.scopes };
  }
}

type TokenSecret = Extract<Secret, { kind: "token" }>;
type KeySecret = Extract<Secret, { kind: "key" }>;

/** Who asked, for histories and idempotency keys. */
export function nameOf({ caller }: FastifyRequest): string {
  if (caller === null) return "nobody";
  return caller.kind === "key" ? `key:${caller.keyId}` : `token:${caller.accountId}`;
}

function accountOf({ params }: FastifyRequest): string | null {
  if (typeof params !== "object" || params === null || !("account_id" in params)) return null;
  return typeof params.account_id === "string" ? params.account_id : null;
}

function accountIdOf(text: string) {
  try {
    return toAccountId(text);
  } catch {
    return null;
  }
}

function unknown(detail: string): Problem {
  return new Problem(401, "unauthenticated", detail);
}

function notAllowed(detail: string): Problem {
  return new Problem(403, "not_allowed", detail);
}
