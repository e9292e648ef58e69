import type { Instant } from "../line/account.ts";
import type { Refusal } from "../line/refusal.ts";
import { type ChargeCurrency, refuseAmount, usualTopUp } from "./charge-limits.ts";

/** A customer's settings of auto top-up; null: the default. Money is in the currency's minor unit. */
export interface TopUpSettings {
  readonly enabled: boolean;
  readonly amount: bigint | null;
  /** The most to charge for top-ups in a day and in a month of the account's time zone. */
  readonly limitPerDay: bigint | null;
  readonly limitPerMonth: bigint | null;
}

/** An account's auto top-up: its settings and state. */
export interface AutoTopUp extends TopUpSettings {
  /** Declined payments in a row. */
  readonly declines: number;
  /** Nothing is charged before this instant. */
  readonly pausedUntil: Instant | null;
  /** Why it is stopped until the customer acts, as a sentence for the customer; null: it is not. */
  readonly stopped: string | null;
  /** When to check the account without a low-balance event; null: never. */
  readonly lookAt: Instant | null;
  /** The number of notices published: the last one's sequence. */
  readonly published: bigint;
}

/** The state of a new account: on. */
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

/** The amount and limits in force, in minor units; by default 10 amounts a day and 50 a month. */
export function amountsOf(
  { amount, limitPerDay, limitPerMonth }: TopUpSettings,
  currency: ChargeCurrency,
): { amount: bigint; perDay: bigint; perMonth: bigint } {
  const each = amount ?? usualTopUp(currency);
  return {
    amount: each,
    perDay: limitPerDay ?? each * TIMES_A_DAY,
    perMonth: limitPerMonth ?? each * TIMES_A_MONTH,
  };
}

/** A record on `billing.top-ups`. */
export interface TopUpNotice {
  readonly topUpId: string;
  readonly status: "pending" | "succeeded" | "failed" | "paused" | "stopped";
  /** In the currency's minor unit. */
  readonly amount: bigint;
  readonly currency: string;
  /** Micro-credits. */
  readonly credits: bigint;
  /** A sentence for the customer. */
  readonly reason: string;
}

/** After the customer has acted: ends a pause or a stop, and has the account checked now. */
export function startAgain(auto: AutoTopUp, now: Instant): AutoTopUp {
  return { ...auto, declines: 0, pausedUntil: null, stopped: null, lookAt: now };
}

export type AutoTopUpSettingsDecision =
  | { readonly kind: "set"; readonly auto: AutoTopUp }
  | Refusal<"below_minimum" | "above_maximum" | "limit_below_amount">;

/** Changes the given settings; they apply from the next check of the account on. */
export function decideAutoTopUpSettings(
  settings: Partial<TopUpSettings>,
  before: AutoTopUp,
  { now, ...charged }: ChargeCurrency & { readonly now: Instant },
): AutoTopUpSettingsDecision {
  const auto = startAgain({ ...before, ...settings }, now);
  const { amount, perDay, perMonth } = amountsOf(auto, charged);
  const uncharged = refuseAmount(amount, charged);
  if (uncharged !== null) return uncharged;
  const tooSmall = (per: "day" | "month", limit: bigint) =>
    ({ kind: "limit_below_amount", per, amount, limit, currency: charged.currency }) as const;
  if (amount > perDay) return tooSmall("day", perDay);
  if (amount > perMonth) return tooSmall("month", perMonth);
  return { kind: "set", auto };
}
