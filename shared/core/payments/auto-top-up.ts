import type { Instant } from "../line/account.ts";
import type { Refusal } from "../line/refusal.ts";
import { refuseAmount, usualTopUp } from "./charge-limits.ts";

/** What a customer sets of auto top-up; null: the default. Money in the currency's minor unit. */
export interface TopUpSettings {
  readonly enabled: boolean;
  readonly amount: bigint | null;
  /** The most charged for top-ups in one day, and in one month, of the account's time zone. */
  readonly limitPerDay: bigint | null;
  readonly limitPerMonth: bigint | null;
}

/** An account's auto top-up: its settings, and where it stands. */
export interface AutoTopUp extends TopUpSettings {
  /** Declined payments in a row. */
  readonly declines: number;
  /** Nothing is charged before. */
  readonly pausedUntil: Instant | null;
  /** Why nothing is charged until the customer acts, in words a customer can read; null: it is not stopped. */
  readonly stopped: string | null;
  /** When to look at the account again, without a low balance being said; null: not. */
  readonly lookAt: Instant | null;
  /** How many notices there were; the last one's sequence. */
  readonly published: bigint;
}

/** As it is before anybody has set anything: on. */
export const UNTOUCHED_AUTO_TOP_UP: AutoTopUp = {
  enabled: true,
  amount: null,
  limitPerDay: null,
  limitPerMonth: null,
  declines: 0,
  pausedUntil: null,
  stopped: null,
  lookAt: null,
  published: 0n,
};

const TIMES_A_DAY = 10n;
const TIMES_A_MONTH = 50n;

/** Amount and limits as they hold in a currency: by default 10 amounts a day, and 50 a month. */
export function amountsOf(
  { amount, limitPerDay, limitPerMonth }: TopUpSettings,
  currency: string,
): { amount: bigint; perDay: bigint; perMonth: bigint } {
  const each = amount ?? usualTopUp(currency);
  return {
    amount: each,
    perDay: limitPerDay ?? each * TIMES_A_DAY,
    perMonth: limitPerMonth ?? each * TIMES_A_MONTH,
  };
}

/** What is published of top-ups on `billing.top-ups`. */
export interface TopUpNotice {
  readonly topUpId: string;
  readonly status: "pending" | "succeeded" | "failed" | "paused" | "stopped";
  /** In the currency's minor unit. */
  readonly amount: bigint;
  readonly currency: string;
  /** Micro-credits. */
  readonly credits: bigint;
  /** In words a customer can read. */
  readonly reason: string;
}

/** The customer has acted: what had paused or stopped it is over, and the account is looked at now. */
export function startAgain(auto: AutoTopUp, now: Instant): AutoTopUp {
  return { ...auto, declines: 0, pausedUntil: null, stopped: null, lookAt: now };
}

export type AutoTopUpSettingsDecision =
  | { readonly kind: "set"; readonly auto: AutoTopUp }
  | Refusal<"below_minimum" | "above_maximum" | "limit_below_amount">;

/** Changes settings, those that are given; they hold from the next look at the account on. */
export function decideAutoTopUpSettings(
  asked: Partial<TopUpSettings>,
  before: AutoTopUp,
  { currency, now }: { readonly currency: string; readonly now: Instant },
): AutoTopUpSettingsDecision {
  const auto = startAgain({ ...before, ...asked }, now);
  const { amount, perDay, perMonth } = amountsOf(auto, currency);
  const uncharged = refuseAmount(amount, currency);
  if (uncharged !== null) return uncharged;
  const tooSmall = (per: "day" | "month", limit: bigint) =>
    ({ kind: "limit_below_amount", per, amount, limit, currency }) as const;
  if (amount > perDay) return tooSmall("day", perDay);
  if (amount > perMonth) return tooSmall("month", perMonth);
  return { kind: "set", auto };
}
