import type { RoundUp, StatedRate, UnitPrice } from "../../core/offer/rate-card.ts";
import type { ValuePattern } from "../../core/offer/value-pattern.ts";

/** A stated rate as JSON has it: amounts are decimal strings. */
export interface StatedRow {
  readonly patterns: readonly ValuePattern[];
  readonly bandOf: string | null;
  readonly bandFrom: string;
  readonly credits: string;
  readonly per: string;
  readonly roundUp: RoundUp | null;
  /** Of an account's own rate. */
  readonly tiers?: readonly TierRow[] | null;
}

/** A tier as JSON has it. */
export interface TierRow {
  readonly upTo: string | null;
  readonly credits: string;
  readonly per: string;
}

/** The tiers of a price; null: it has none. */
export function toTiers(rows: readonly TierRow[] | null | undefined): Pick<UnitPrice, "tiers"> {
  if (rows === null || rows === undefined) return {};
  return {
    tiers: rows.map(({ upTo, credits, per }) => {
      return {
        upTo: upTo === null ? null : BigInt(upTo),
        credits: BigInt(credits),
        per: BigInt(per),
      };
    }),
  };
}

/** The members of a `StatedRow` in SQL, of a row `part`. */
export const STATED = `
  'patterns', patterns, 'bandOf', band_of, 'bandFrom', band_from::text, 'credits', part.credits::text,
  'per', part.per::text, 'roundUp', part.round_up`;

/** The rate that a row of `STATED` has. */
export function toStated({ patterns, bandOf, bandFrom, ...row }: StatedRow): StatedRate {
  const price = { credits: BigInt(row.credits), per: BigInt(row.per) };
  const rounded = row.roundUp === null ? {} : { roundUp: row.roundUp };
  const stated = { patterns, ...price, ...rounded, ...toTiers(row.tiers) };
  return bandFrom === "0" ? stated : { ...stated, band: { of: bandOf, from: BigInt(bandFrom) } };
}

/** The columns of a stated rate. */
export function statedColumns({ patterns, band, credits, per, roundUp, tiers }: StatedRate) {
  const bandColumns = { band_of: band?.of ?? null, band_from: band?.from ?? 0n };
  return {
    patterns,
    ...bandColumns,
    credits,
    per,
    round_up: roundUp ?? null,
    tiers: tiers ?? null,
  };
}
