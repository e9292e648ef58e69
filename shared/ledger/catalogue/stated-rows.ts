import type { RoundUp, StatedRate } from "../../core/offer/rate-card.ts";
import type { ValuePattern } from "../../core/offer/value-pattern.ts";

/** A stated rate as JSON has it: amounts are decimal strings. */
export interface StatedRow {
  readonly patterns: readonly ValuePattern[];
  readonly bandOf: string | null;
  readonly bandFrom: string;
  readonly credits: string;
  readonly per: string;
  readonly roundUp: RoundUp | null;
}

/** The members of a `StatedRow` in SQL, of a row `part`. */
export const STATED = `
  'patterns', patterns, 'bandOf', band_of, 'bandFrom', band_from::text, 'credits', part.credits::text,
  'per', part.per::text, 'roundUp', part.round_up`;

export function toStated({ patterns, bandOf, bandFrom, ...row }: StatedRow): StatedRate {
  const price = { credits: BigInt(row.credits), per: BigInt(row.per) };
  const stated = { patterns, ...price, ...(row.roundUp === null ? {} : { roundUp: row.roundUp }) };
  return bandFrom === "0" ? stated : { ...stated, band: { of: bandOf, from: BigInt(bandFrom) } };
}

/** The columns of a stated rate. */
export function statedColumns({ patterns, band, credits, per, roundUp }: StatedRate) {
  const bandColumns = { band_of: band?.of ?? null, band_from: band?.from ?? 0n };
  return { patterns, ...bandColumns, credits, per, round_up: roundUp ?? null };
}
