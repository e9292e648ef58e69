import type { FastifyRequest } from "fastify";
import type { Instant } from "../../../shared/core/line/account.ts";
import type { Scope } from "../../../shared/core/text/scopes.ts";

/** A product with an API key, or a customer with a dashboard token for one account. */
export type Caller =
  | {
      readonly kind: "key";
      readonly keyId: string;
      readonly name: string;
      readonly scopes: readonly Scope[];
      /** The only accounts that it opens; null: all of them. */
      readonly accountIds: ReadonlySet<string> | null;
      /** Null: it does not expire. */
      readonly endsAt: Instant | null;
    }
  | {
      readonly kind: "token";
      readonly accountId: string;
      readonly secretHash: Buffer;
      readonly endsAt: Instant;
      readonly readOnly: boolean;
    };

type HasCaller = Pick<FastifyRequest, "caller">;

/** Identifies the caller, for idempotency keys and limits. */
export function nameOf({ caller }: HasCaller): string {
  if (caller === null) return "nobody";
  return caller.kind === "key" ? `key:${caller.keyId}` : `token:${caller.accountId}`;
}

/** The account in the path; null: the route is not about one. */
export function accountOf({ params }: { readonly params: unknown }): string | null {
  if (typeof params !== "object" || params === null || !("account_id" in params)) return null;
  return typeof params.account_id === "string" ? params.account_id : null;
}
