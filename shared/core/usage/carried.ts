import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { type CountedMonth, countedMonth, priceOfMonth } from "../offer/month-price.ts";
import {
  type AccountVersion,
  carries,
  countsMonth,
  price,
  type Rate,
  remainderAfter,
  versionOf,
} from "../offer/rate-card.ts";

/** What is left of a micro-credit of an account's usage under a version of a meter: `remainder / per` of it. */
export interface Carried {
  readonly accountId: string;
  readonly meter: string;
  readonly validFrom: Instant;
  readonly remainder: bigint;
}

/** How much an account used in a month under a version of a meter, of what is priced by it. */
export interface MonthUsage {
  readonly accountId: string;
  readonly meter: string;
  readonly validFrom: Instant;
  /** Its first instant, in UTC. */
  readonly month: Instant;
  readonly quantity: bigint;
}

/**
 * What one account carries from event to event: the remainder of each version, shared by its rates, and what it used
 * in each month of a version that counts. What is missing is 0.
 */
export type CarriedByVersion = ReadonlyMap<AccountVersion | CountedMonth, bigint>;

/** What an account carries while a batch's events are applied. */
export interface CarriedInBatch {
  readonly before: CarriedByVersion;
  /** What events of the batch changed; null: nothing. */
  after: Map<AccountVersion | CountedMonth, bigint> | null;
}

/** What the price of a line depends on, once its rate is known. */
interface Used {
  readonly quantity: bigint;
  readonly occurredAt: Instant;
}

/** What usage of a rate costs, given what was carried to it. */
export function priceAfter(carried: CarriedInBatch, rate: Rate, used: Used): MicroCredits {
  const { quantity } = used;
  if (!countsMonth(rate)) {
    return price(rate, quantity, carries(rate) ? amountOf(carried, versionOf(rate)) : 0n);
  }
  const before = usedBefore(carried, rate, used.occurredAt);
  return priceOfMonth(rate, before + quantity) - priceOfMonth(rate, before);
}

/** Carries along what is left after usage that cost `credits`, or that it was used. */
export function carryOn(
  carried: CarriedInBatch,
  rate: Rate,
  { quantity, occurredAt }: Used,
  credits: MicroCredits,
): void {
  if (countsMonth(rate)) {
    const month = countedMonth(versionOf(rate), occurredAt);
    change(carried, month, amountOf(carried, month) + quantity);
  } else if (carries(rate)) {
    const version = versionOf(rate);
    change(carried, version, remainderAfter(rate, quantity, credits, amountOf(carried, version)));
  }
}

/** How much was used in the month before, of a rate that `countsMonth`. */
function usedBefore(carried: CarriedInBatch, rate: Rate, occurredAt: Instant): bigint {
  return amountOf(carried, countedMonth(versionOf(rate), occurredAt));
}

function amountOf({ before, after }: CarriedInBatch, of: AccountVersion | CountedMonth): bigint {
  return after?.get(of) ?? before.get(of) ?? 0n;
}

function change(carried: CarriedInBatch, of: AccountVersion | CountedMonth, amount: bigint): void {
  carried.after ??= new Map();
  carried.after.set(of, amount);
}

/** What the batch changed. */
export function changesOfCarried(
  accountId: string,
  { before, after }: CarriedInBatch,
): { readonly carried: readonly Carried[]; readonly months: readonly MonthUsage[] } {
  const carried: Carried[] = [];
  const months: MonthUsage[] = [];
  for (const [of, amount] of after ?? []) {
    if (amount === (before.get(of) ?? 0n)) continue;
    if ("month" in of) {
      const { meter, validFrom } = of.of;
      months.push({ accountId, meter, validFrom, month: of.month, quantity: amount });
    } else {
      carried.push({ accountId, meter: of.meter, validFrom: of.validFrom, remainder: amount });
    }
  }
  return { carried, months };
}
