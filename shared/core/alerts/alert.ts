import type { AccountId, Instant } from "../line/account.ts";

/** What alerts are about. */
export type AlertKind =
  | "month_credits"
  | "top_up_month"
  | "budget"
  | "runway"
  | "top_up_declined"
  | "top_up_paused"
  | "top_up_stopped";

/** A level that is reached. Within a window, each level of a kind and subject is raised once. */
export interface Alert {
  readonly accountId: AccountId;
  readonly kind: AlertKind;
  /** What of the account it is about, where a kind has several; otherwise empty. */
  readonly subject: string;
  readonly window: string;
  /** Percent, or days of runway; 0 where a kind has no levels. */
  readonly level: number;
  /** What is used of `limit`: micro-credits, or minor units of `currency`; null: nothing is counted. */
  readonly used: bigint | null;
  readonly limit: bigint | null;
  /** Null: credits. */
  readonly currency: string | null;
  /** `event:<event id>`, `entry:<sequence>`, `top-up:<top-up id>`, `time` or `settings`. */
  readonly cause: string;
  /** A sentence for the customer. */
  readonly reason: string;
  readonly occurredAt: Instant;
}

/** Those of `percents` of `limit` (above 0) that are used, in their order. */
export function percentsReached(
  percents: readonly number[],
  used: bigint,
  limit: bigint,
): readonly number[] {
  return percents.filter((percent) => used * 100n >= BigInt(percent) * limit);
}
