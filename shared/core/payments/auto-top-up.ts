import type { Instant } from "../line/account.ts";
import { least } from "../line/credit-line.ts";
import type { Refusal } from "../line/refusal.ts";
import { ceilingsOf, DEFAULT_CEILINGS, type OwnCeilings, refuseAboveCeiling } from "./ceilings.ts";
import { type Ceilings, type ChargeCurrency, refuseAmount, usualTopUp } from "./charge-limits.ts";

/** A customer's settings of auto top-up; null: the default. Money is in the currency's minor unit. */
export interface TopUpSettings {
  readonly enabled: boolean;
  readonly amount: bigint | null;
  /** The most to charge for top-ups in a day and in a month of the account's time zone. */
  readonly limitPerDay: bigint | null;
  readonly limitPerMonth: bigint | null;
  /** It goes on when the subscription ends. */
  readonly keepAfterSubscription: boolean;
}

/** What decides how much may be charged. */
export interface TopUpTerms extends TopUpSettings {
  /** Set by the seller. */
  readonly ceilings: OwnCeilings;
}

/** An account's auto top-up: its settings and state. */
export interface AutoTopUp extends TopUpTerms {
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
  keepAfterSubscription: false,
  ceilings: DEFAULT_CEILINGS,
  declines: 0,
  pausedUntil: null,
  stopped: null,
  lookAt: null,
  published: 0n,
};

const TIMES_A_DAY = 10n;
const TIMES_A_MONTH = 50n;

/** The customer's limits, in minor units; by default 10 amounts a day and 50 a month. */
function limitsOf({ limitPerDay, limitPerMonth }: TopUpTerms, amount: bigint) {
  return {
    perDay: limitPerDay ?? amount * TIMES_A_DAY,
    perMonth: limitPerMonth ?? amount * TIMES_A_MONTH,
  };
}

/** The amount and limits in force, in minor units: the customer's, or the ceilings where these are lower. */
export function amountsOf(terms: TopUpTerms, charged: ChargeCurrency): Ceilings {
  const most = ceilingsOf(terms.ceilings, charged);
  const amount = least(terms.amount ?? usualTopUp(charged), most.amount);
  const { perDay, perMonth } = limitsOf(terms, amount);
  return {
    amount,
    perDay: least(perDay, most.perDay),
    perMonth: least(perMonth, most.perMonth),
  };
}

/** Whether a limit in force is a ceiling, not the customer's own. */
export function isCeiling(
  per: "perDay" | "perMonth",
  terms: TopUpTerms,
  charged: ChargeCurrency,
): boolean {
  const inForce = amountsOf(terms, charged);
  return inForce[per] < limitsOf(terms, inForce.amount)[per];
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

/** Whether a change of settings may have something charged that would not have been: one more attempt. */
export function startsCharging(before: AutoTopUp, after: AutoTopUp): boolean {
  const charged = before.enabled && before.pausedUntil === null && before.stopped === null;
  return after.enabled && !charged;
}

export type AutoTopUpSettingsDecision =
  | { readonly kind: "set"; readonly auto: AutoTopUp }
  | Refusal<"below_minimum" | "above_maximum" | "above_ceiling" | "limit_below_amount">;

/**
 * Changes the given settings; they apply from the next check of the account on. What was set before and
 * is above a ceiling now is no reason to refuse: the ceiling cuts it.
 */
export function decideAutoTopUpSettings(
  settings: Partial<TopUpSettings>,
  before: AutoTopUp,
  { now, ...charged }: ChargeCurrency & { readonly now: Instant },
): AutoTopUpSettingsDecision {
  const auto = startAgain({ ...before, ...settings }, now);
  const most = ceilingsOf(before.ceilings, charged);
  const above =
    refuseAboveCeiling("top_up", settings.amount, most, charged) ??
    refuseAboveCeiling("day", settings.limitPerDay, most, charged) ??
    refuseAboveCeiling("month", settings.limitPerMonth, most, charged);
  if (above !== null) return above;
  const asked = settings.amount ?? null;
  const uncharged = asked === null ? null : refuseAmount(asked, charged);
  if (uncharged !== null) return uncharged;
  const { amount, perDay, perMonth } = amountsOf(auto, charged);
  const tooSmall = (per: "day" | "month", limit: bigint) =>
    ({ kind: "limit_below_amount", per, amount, limit, currency: charged.currency }) as const;
  if (amount > perDay) return tooSmall("day", perDay);
  if (amount > perMonth) return tooSmall("month", perMonth);
  return { kind: "set", auto };
}
