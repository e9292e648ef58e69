import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Instant } from "../../../shared/core/line/account.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { findApiKey, recordKeyUse, type Scope } from "../../../shared/ledger/access/api-keys.ts";
import { isSame, readSecret, type Secret } from "../../../shared/ledger/access/api-secrets.ts";
import { findDashboardToken } from "../../../shared/ledger/access/dashboard-tokens.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { Problem } from "../problem.ts";

/** A product with an API key, or a customer with a dashboard token for one account. */
type Caller =
  | { readonly kind: "key"; readonly keyId: string; readonly scopes: readonly Scope[] }
  | {
      readonly kind: "token";
      readonly accountId: string;
      readonly endsAt: Instant;
      readonly readOnly: boolean;
    };

/** The scope a key needs for a route, or "open" to everybody. */
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

/** How long a key or token is cached. Revoking one takes effect within this time. */
const CACHED_MS = 2_000;
const MOST_CACHED = 10_000;
const RECORD_USE_EVERY_MS = 60_000;
const READ_ONLY = "the token is read-only: it shows the account and changes nothing";

interface CachedCaller {
  readonly caller: Caller;
  readonly until: Instant;
}

/**
 * Authenticates every request except those of open routes. A key needs the route's scope or admin; a
 * token is allowed only for its own account, on routes marked `byToken`; a read-only one only on those
 * that a key with the scope read may use.
 */
export function authenticate(
  app: FastifyInstance,
  { database, now }: { readonly database: Database; readonly now: () => Instant },
): void {
  const cache = new Map<string, CachedCaller>();
  const useRecordedAt = new Map<string, Instant>();

  app.decorateRequest("caller", null);
  app.addHook("onRequest", async (request) => {
    const { access = "admin", byToken = false } = request.routeOptions.config;
    if (access === "open" || request.is404) return;
    const caller = await callerOf(request);
    request.caller = caller;
    if (caller.kind === "token") {
      checkToken(caller, byToken && accountOf(request) === caller.accountId, access);
    } else if (!caller.scopes.includes(access) && !caller.scopes.includes("admin")) {
      throw notAllowed(`the key lacks the scope ${access}`);
    }
  });

  async function callerOf(request: FastifyRequest): Promise<Caller> {
    const [scheme = "", given = ""] = (request.headers.authorization ?? "").split(" ");
    const text = scheme.toLowerCase() === "bearer" ? given : "";
    const at = now();
    const cached = cache.get(text);
    const caller = cached !== undefined && cached.until > at ? cached.caller : await find(text, at);
    if (caller === null) throw unknown("the key or token is unknown, revoked or expired");
    if (caller.kind === "token" && caller.endsAt <= at) throw unknown("the token has expired");
    if (cached?.caller !== caller) cacheCaller(text, { caller, until: at + CACHED_MS });
    return caller;
  }

  function cacheCaller(text: string, cached: CachedCaller): void {
    if (cache.size >= MOST_CACHED) cache.clear();
    cache.set(text, cached);
  }

  async function find(text: string, at: Instant): Promise<Caller | null> {
    const secret = readSecret(text);
    if (secret === null) {
      throw unknown("send an API key or a dashboard token as Authorization: Bearer");
    }
    return secret.kind === "token" ? findToken(secret) : findKey(secret, at);
  }

  async function findToken({ accountId: text, hash }: TokenSecret): Promise<Caller | null> {
    const accountId = accountIdOf(text);
    const stored = accountId && (await findDashboardToken(database, accountId, hash));
    if (stored === null) return null;
    const { expiresAt: endsAt, readOnly } = stored;
    return { kind: "token", accountId: text, endsAt, readOnly };
  }

  async function findKey({ keyId, hash }: KeySecret, at: Instant): Promise<Caller | null> {
    const found = await findApiKey(database, keyId);
    if (found === null || found.key.revokedAt !== null) return null;
    if (!isSame(found.secretHash, hash)) return null;
    if (at - (useRecordedAt.get(keyId) ?? 0) >= RECORD_USE_EVERY_MS) {
      useRecordedAt.set(keyId, at);
      await recordKeyUse(database, keyId, at);
    }
    return { kind: "key", keyId, scopes: found.key.scopes };
  }
}

/** Throws a Problem unless the token opens the route; `isOpen`: tokens of the account may use it. */
function checkToken({ readOnly }: TokenCaller, isOpen: boolean, access: Scope): void {
  if (!isOpen) throw notAllowed("the token does not allow this");
  if (readOnly && access !== "read") throw notAllowed(READ_ONLY);
}

type TokenCaller = Extract<Caller, { kind: "token" }>;
type TokenSecret = Extract<Secret, { kind: "token" }>;
type KeySecret = Extract<Secret, { kind: "key" }>;

/** The caller's name in histories and for idempotency keys. */
export function nameOf({ caller }: Pick<FastifyRequest, "caller">): string {
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
