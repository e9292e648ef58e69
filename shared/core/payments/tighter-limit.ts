import type { Account, Instant } from "../line/account.ts";
import type { Refusal } from "../line/refusal.ts";
import { startOfNextDay, startOfNextMonth } from "../offer/months.ts";
import { moneyText } from "../text/money.ts";
import { type AutoTopUp, amountsOf, isCeiling } from "./auto-top-up.ts";
import type { ChargeCurrency } from "./charge-limits.ts";

/** What the limits of an account's top-ups are applied to. */
export interface LimitContext extends ChargeCurrency {
  /** Settled up to `now`, so that no top-up is charged right before the month's credits. */
  readonly account: Account;
  readonly auto: AutoTopUp;
  /** Charged for top-ups, or pending, in this day and month of its time zone; minor units. */
  readonly spent: { readonly today: bigint; readonly thisMonth: bigint };
  readonly now: Instant;
}

/** A limit that leaves too little, as a sentence for the customer. */
export function limitReached(
  { per, limit, byCeiling }: TighterLimit,
  { currency }: LimitContext,
): string {
  const when = per === "day" ? "today" : "this month";
  const name = byCeiling ? `seller's ceiling of ${moneyText(limit, currency)}` : "limit";
  return `The ${name} for top-ups ${when} is reached.`;
}

/** The limit that leaves less. */
export interface TighterLimit extends Omit<Refusal<"above_limit">, "kind" | "currency"> {
  /** When it resets. */
  readonly until: Instant;
}

/** The tighter limit, and what it leaves; of two that leave the same, the month's. */
export function leftOf(context: LimitContext): TighterLimit {
  const { account, auto, spent, now } = context;
  const { perDay, perMonth } = amountsOf(auto, context);
  const today = perDay - spent.today;
  const thisMonth = perMonth - spent.thisMonth;
  return today < thisMonth
    ? {
        ...{ per: "day", left: today, limit: perDay },
        byCeiling: isCeiling("perDay", auto, context),
        until: startOfNextDay(now, account.timeZone),
      }
    : {
        ...{ per: "month", left: thisMonth, limit: perMonth },
        byCeiling: isCeiling("perMonth", auto, context),
        until: startOfNextMonth(now, account.timeZone),
      };
}
