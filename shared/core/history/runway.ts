import type { Instant, Lot } from "../line/account.ts";
import { type MicroCredits, remainingOf } from "../line/credit-line.ts";

/** How long credits last at a pace, and what of them ends before it is used. */
export interface Runway {
  /** Null: at no pace, or beyond the horizon. */
  readonly lastsUntil: Instant | null;
  /** Credits whose lots end, at this pace, before they are drawn. */
  readonly expiresUnused: MicroCredits;
}

/** A pace: so many micro-credits in so many milliseconds; both at least 0 and above 0. */
export interface Pace {
  readonly credits: MicroCredits;
  readonly perMs: number;
}

/** No further ahead than so: nobody plans by it. */
const HORIZON_MS = 10n * 366n * 24n * 60n * 60n * 1000n;

/**
 * Draws lots down at a pace from `now` on, oldest first, as the line does: what is left of a lot when
 * it ends expires, and the next lot goes on from there.
 */
export function runwayOf(
  lots: readonly Lot[],
  { position, now }: { readonly position: MicroCredits; readonly now: Instant },
  pace: Pace,
): Runway {
  const left = lots
    .map((lot) => ({ credits: remainingOf(lot, position), expiresAt: lot.expiresAt }))
    .filter(({ credits }) => credits > 0n);
  if (pace.credits === 0n) {
    const ending = left.filter(({ expiresAt }) => expiresAt !== null);
    return {
      lastsUntil: null,
      expiresUnused: ending.reduce((sum, { credits }) => sum + credits, 0n),
    };
  }
  const perMs = BigInt(pace.perMs);
  let at = 0n;
  let expiresUnused = 0n;
  for (const { credits, expiresAt } of left) {
    const usedUpAt = at + (credits * perMs) / pace.credits;
    const endsAt = expiresAt === null ? null : BigInt(Math.max(0, expiresAt - now));
    if (endsAt === null || usedUpAt <= endsAt) {
      at = usedUpAt;
      continue;
    }
    const usable = endsAt > at ? ((endsAt - at) * pace.credits) / perMs : 0n;
    expiresUnused += credits - usable;
    if (endsAt > at) at = endsAt;
  }
  return { lastsUntil: at > HORIZON_MS ? null : now + Number(at), expiresUnused };
}
