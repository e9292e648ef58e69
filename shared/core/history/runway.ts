import type { Instant, Lot } from "../line/account.ts";
import { usableOf } from "../line/available.ts";
import type { MicroCredits } from "../line/credit-line.ts";

/** How long credits last at a pace, and how many expire unused. */
export interface Runway {
  /** Null: nothing is being used, or they last beyond the horizon. */
  readonly lastsUntil: Instant | null;
  /** Credits that expire before they are used; not those of lots that have ended. */
  readonly expiresUnused: MicroCredits;
}

/** `credits` micro-credits (at least 0) used in `perMs` milliseconds (above 0). */
export interface Pace {
  readonly credits: MicroCredits;
  readonly perMs: number;
}

/** Ten years; nobody plans further ahead. */
const HORIZON_MS = 10n * 366n * 24n * 60n * 60n * 1000n;

/** Draws lots down at a pace from `now` on, oldest first; what is left of a lot at its end expires. */
export function runwayOf(
  lots: readonly Lot[],
  { position, now }: { readonly position: MicroCredits; readonly now: Instant },
  pace: Pace,
): Runway {
  const left = lots
    .map((lot) => ({ credits: usableOf(lot, position, now), expiresAt: lot.expiresAt }))
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
    const endsAt = expiresAt === null ? null : BigInt(expiresAt - now);
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
