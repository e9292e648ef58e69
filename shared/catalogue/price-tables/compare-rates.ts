import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { RoundUp } from "../../core/offer/rate-card.ts";
import { keyText, type RateKey } from "./price-row.ts";

/** A rate as it is now or would be: micro-credits for every `per` units. */
export interface ComparedRate extends RateKey {
  readonly credits: MicroCredits;
  readonly per: bigint;
  readonly roundUp?: RoundUp;
}

export interface ChangedRate<Before, After> {
  readonly before: Before;
  readonly after: After;
}

/** What another table changes. Rates are in the order of their tables. */
export interface RateChanges<Before, After> {
  readonly added: readonly After[];
  readonly dearer: readonly ChangedRate<Before, After>[];
  readonly cheaper: readonly ChangedRate<Before, After>[];
  readonly gone: readonly Before[];
  readonly unchanged: number;
}

/**
 * Compares two tables, each with one rate a key. 3 credits for 10 units and 6 for 20 are the same; packages are
 * dearer than their units.
 */
export function compareRates<Before extends ComparedRate, After extends ComparedRate>(
  before: readonly Before[],
  after: readonly After[],
): RateChanges<Before, After> {
  const left = new Map(before.map((rate) => [keyText(rate), rate]));
  const added: After[] = [];
  const dearer: ChangedRate<Before, After>[] = [];
  const cheaper: ChangedRate<Before, After>[] = [];
  let unchanged = 0;
  for (const rate of after) {
    const key = keyText(rate);
    const old = left.get(key);
    left.delete(key);
    const difference = old === undefined ? null : rate.credits * old.per - old.credits * rate.per;
    if (old === undefined || difference === null) added.push(rate);
    else if (difference > 0n) dearer.push({ before: old, after: rate });
    else if (difference < 0n || old.roundUp !== rate.roundUp)
      cheaper.push({ before: old, after: rate });
    else unchanged += 1;
  }
  return { added, dearer, cheaper, gone: [...left.values()], unchanged };
}
