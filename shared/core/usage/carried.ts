import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { type AccountVersion, type Rate, remainderAfter, versionOf } from "../offer/rate-card.ts";

/** What is left of a micro-credit of an account's usage under a version of a meter: `remainder / per` of it. */
export interface Carried {
  readonly accountId: string;
  readonly meter: string;
  readonly validFrom: Instant;
  readonly remainder: bigint;
}

/** The remainders of one account, by version; one that is missing is 0. All rates of a version share one. */
export type CarriedByVersion = ReadonlyMap<AccountVersion, bigint>;

/** An account's remainders while a batch's events are applied. */
export interface CarriedInBatch {
  readonly before: CarriedByVersion;
  /** Those that events of the batch changed; null: none. */
  after: Map<AccountVersion, bigint> | null;
}

export function remainderOf({ before, after }: CarriedInBatch, rate: Rate): bigint {
  const version = versionOf(rate);
  return after?.get(version) ?? before.get(version) ?? 0n;
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
  carried.after.set(versionOf(rate), remainder);
}

/** The remainders that the batch changed. */
export function changesOfCarried(
  accountId: string,
  { before, after }: CarriedInBatch,
): readonly Carried[] {
  if (after === null) return [];
  return [...after].flatMap(([version, remainder]) => {
    const { meter, validFrom } = version;
    return remainder === (before.get(version) ?? 0n)
      ? []
      : [{ accountId, meter, validFrom, remainder }];
  });
}
