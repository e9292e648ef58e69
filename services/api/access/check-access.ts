import type { Scope } from "../../../shared/core/text/scopes.ts";
import { Problem } from "../problem.ts";
import type { Caller } from "./caller.ts";

/** Who may use a route. */
export interface RouteAccess {
  /** The scopes of keys that open it; a key with any of them may use it, and one with admin. */
  readonly access: Scope | readonly Scope[];
  /**
   * Whether a dashboard token may use it, for its own account: that of its path, or its handler calls `checkAccount`.
   */
  readonly byToken?: boolean;
  /**
   * Whether a key that is restricted to some accounts may use it though its path names none: it is about no
   * account, or its handler calls `checkAccount`.
   */
  readonly byRestrictedKey?: boolean;
}

const NOT_BY_TOKEN = "the token does not allow this";
const READ_ONLY = "the token is read-only: it shows the account and changes nothing";

/** Throws a Problem unless the caller may use the route; `accountId`: the account in its path. */
export function checkAccess(caller: Caller, route: RouteAccess, accountId: string | null): void {
  const scopes = scopesOf(route);
  if (caller.kind === "token") {
    const isOwn = (accountId ?? caller.accountId) === caller.accountId;
    if (route.byToken !== true || !isOwn) throw notAllowed(NOT_BY_TOKEN);
    if (caller.readOnly && !scopes.includes("read")) throw notAllowed(READ_ONLY);
    return;
  }
  if (![...scopes, "admin"].some((scope) => caller.scopes.some((has) => has === scope))) {
    throw notAllowed(`the key lacks the scope ${scopes.join(" or ")}`);
  }
  if (caller.accountIds === null) return;
  if (accountId !== null) checkAccount(caller, accountId);
  else if (route.byRestrictedKey !== true) {
    throw notAllowed("the key is restricted to some accounts, and this is about all of them");
  }
}

/** Throws a Problem unless the caller's key or token opens the account; null: what is of no account. */
export function checkAccount(caller: Caller | null, accountId: string | null): void {
  if (caller?.kind === "token" && caller.accountId !== accountId) throw notAllowed(NOT_BY_TOKEN);
  if (caller?.kind !== "key" || caller.accountIds === null || accountId === null) return;
  if (!caller.accountIds.has(accountId)) {
    throw notAllowed("the key is restricted to other accounts");
  }
}

export function scopesOf({ access }: Pick<RouteAccess, "access">): readonly Scope[] {
  return typeof access === "string" ? [access] : access;
}

function notAllowed(detail: string): Problem {
  return new Problem(403, "not_allowed", detail);
}
