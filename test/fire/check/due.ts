import type { FireAccount } from "../load/accounts.ts";
import { monthsAfter, turnsBetween } from "./calendar.ts";
import { ADD_ON_CREDITS, PLAN_CREDITS, PLAN_PRICE } from "./prices.ts";

/** A lot of the model. Instants are in milliseconds. */
export interface Lot {
  readonly id: string;
  readonly credits: bigint;
  readonly at: number;
  /** Infinity: never, within a run. */
  readonly endsAt: number;
}

/** What the months bring an account with a plan. */
export interface Due {
  readonly lots: readonly Lot[];
  readonly charges: readonly { readonly at: number; readonly credits: bigint }[];
  readonly fees: readonly { readonly id: string; readonly amount: bigint }[];
}

/** Credits live for two months: those of a turn until the second turn after theirs. */
const LIFE_MONTHS = 2;

/** By the rules of the design: one lot, one charge of add-ons a period, one fee a month or a year. */
export function dueOn({ plan }: FireAccount, subscribedAt: number, until: number): Due {
  if (plan === null) return { lots: [], charges: [], fees: [] };
  const { interval, addOns } = plan;
  const begins = [subscribedAt, ...turnsBetween(subscribedAt, until)];
  return {
    lots: begins.map((at, period) => ({
      id: `plan:1:${period}`,
      credits: PLAN_CREDITS,
      ...{ at, endsAt: monthsAfter(at, LIFE_MONTHS) },
    })),
    charges:
      addOns === 0 ? [] : begins.map((at) => ({ at, credits: BigInt(addOns) * ADD_ON_CREDITS })),
    fees: begins
      .map((_, period) => ({ id: `fee:1:${period}`, amount: PLAN_PRICE[interval] }))
      .filter((_, period) => interval === "month" || period === 0),
  };
}
