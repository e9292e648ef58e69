import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { Problem } from "../problem.ts";
import { accountOf, type Caller } from "./caller.ts";
import { checkAccess, type RouteAccess } from "./check-access.ts";
import { callerFinder, type WrongKey } from "./find-caller.ts";
import type { WrongKeys } from "./wrong-keys.ts";

declare module "fastify" {
  interface FastifyContextConfig extends Partial<Omit<RouteAccess, "access">> {
    /** "open": to everybody. */
    access?: RouteAccess["access"] | "open";
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

const SENTENCES: Readonly<Record<WrongKey | "missing", string>> = {
  missing: "send an API key or a dashboard token as Authorization: Bearer",
  malformed: "what was sent as Authorization: Bearer is no key and no token; send all of it",
  unknown: "the key or token is unknown, revoked or expired",
  revoked: "the key or token is unknown, revoked or expired",
  expired: "the key or token has expired",
};

/**
 * Authenticates every request except those of open routes. A key needs one of the route's scopes or
 * admin, and the account, if it is restricted to some; a token is allowed only for its own account, on
 * routes marked `byToken`; a read-only one only on those that a key with the scope read may use.
 */
export function authenticate(
  app: FastifyInstance,
  context: {
    readonly database: Database;
    readonly now: () => Instant;
    readonly wrongKeys: WrongKeys;
  },
): void {
  const { database, now, wrongKeys } = context;
  const { find, wasRight } = callerFinder(database);

  app.decorateRequest("caller", null);
  app.addHook("onRequest", async (request) => {
    const { access = "admin", ...route } = request.routeOptions.config;
    if (access === "open" || request.is404) return;
    request.caller = await callerOf(request);
    checkAccess(request.caller, { access, ...route }, accountOf(request));
  });

  async function callerOf(request: FastifyRequest): Promise<Caller> {
    const [scheme = "", given = ""] = (request.headers.authorization ?? "").split(" ");
    const text = scheme.toLowerCase() === "bearer" ? given : "";
    if (text === "") throw unauthenticated("missing");
    const at = now();
    const waitMs = wasRight(text) ? 0 : wrongKeys.waitMs(request.ip, at);
    if (waitMs > 0) throw tooManyWrongKeys(waitMs);
    const caller = await find(text, at);
    if (typeof caller !== "string") return caller;
    wrongKeys.add(request.ip, caller, text, at);
    throw unauthenticated(caller);
  }
}

function unauthenticated(why: WrongKey | "missing"): Problem {
  return new Problem(401, "unauthenticated", SENTENCES[why]);
}

function tooManyWrongKeys(waitMs: number): Problem {
  const detail = "too many wrong keys came from this address; try again later";
  return new Problem(429, "too_many_wrong_keys", detail, {
    retryAfterSeconds: Math.ceil(waitMs / 1000),
  });
}
