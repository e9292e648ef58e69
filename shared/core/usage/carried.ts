import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { type Rate, remainderAfter } from "../offer/rate-card.ts";

/** What is left of a micro-credit of an account's usage under one rate: `remainder / per` of it. */
export interface Carried {
  readonly accountId: string;
  readonly meter: string;
  readonly validFrom: Instant;
  readonly remainder: bigint;
}

/** The remainders of one account, by rate; a rate without one has 0. */
export type CarriedByRate = ReadonlyMap<Rate, bigint>;

/** An account's remainders while a batch's events are applied. */
export interface CarriedInBatch {
  readonly before: CarriedByRate;
  /** Those that events of the batch changed; null: none. */
  after: Map<Rate, bigint> | null;
}

export function remainderOf({ before, after }: CarriedInBatch, rate: Rate): bigint {
  return after?.get(rate) ?? before.get(rate) ?? 0n;
}

/** Carries along what is left after an event of a rate that `carries`. */
export function carryOn(
  carried: CarriedInBatch,
  rate: Rate,
  quantity: bigint,
  credits: MicroCredits,
): void {
  const remainder = remainderAfter(rate, quantity, credits, remainderOf(carried, rate));
  carried.after ??= new Map();
  carried.after.set(rate, remainder);
}

/** The remainders that the batch changed. */
export function changesOfCarried(
  accountId: string,
  { before, after }: CarriedInBatch,
): readonly Carried[] {
  if (after === null) return [];
  return [...after].flatMap(([rate, remainder]) => {
    const { meter, validFrom } = rate;
    return remainder === (before.get(rate) ?? 0n)
      ? []
      : [{ accountId, meter, validFrom, remainder }];
  });
}
