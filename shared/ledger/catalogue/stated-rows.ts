import type { StatedRate } from "../../core/offer/rate-card.ts";
import type { ValuePattern } from "../../core/offer/value-pattern.ts";

/** A stated rate as JSON has it: amounts are decimal strings. */
export interface StatedRow {
  readonly patterns: readonly ValuePattern[];
  readonly bandOf: string | null;
  readonly bandFrom: string;
  readonly credits: string;
  readonly per: string;
}

export function toStated({ patterns, bandOf, bandFrom, credits, per }: StatedRow): StatedRate {
  const stated = { patterns, credits: BigInt(credits), per: BigInt(per) };
  return bandFrom === "0" ? stated : { ...stated, band: { of: bandOf, from: BigInt(bandFrom) } };
}

/** The columns of a stated rate. */
export function statedColumns({ patterns, band, credits, per }: StatedRate) {
  return { patterns, band_of: band?.of ?? null, band_from: band?.from ?? 0n, credits, per };
}
