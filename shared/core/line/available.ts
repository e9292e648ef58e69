import type { Instant, Lot } from "./account.ts";
import { balanceOf, type CreditLine, type MicroCredits, remainingOf } from "./credit-line.ts";

/** True for a lot that has ended by an instant, whether or not its expiry is posted. */
export function hasEnded({ expiresAt }: Pick<Lot, "expiresAt">, at: Instant): boolean {
  return expiresAt !== null && expiresAt <= at;
}

/** What can be used of a lot at an instant: nothing once it has ended. */
export function usableOf(
  lot: Pick<Lot, "start" | "end" | "expiresAt">,
  position: MicroCredits,
  at: Instant,
): MicroCredits {
  return hasEnded(lot, at) ? 0n : remainingOf(lot, position);
}

/**
 * The credits available at an instant: the line's balance without what lots have left that have ended.
 * Their expiries wait for late usage, so the books still have them. Below zero it is debt: a line in
 * debt has nothing left in any lot. `lots` has at least those with credits left. Source: design,
 * "Roll-over and expiry".
 */
export function availableAt(
  line: CreditLine,
  lots: readonly Pick<Lot, "start" | "end" | "expiresAt">[],
  at: Instant,
): MicroCredits {
  return lots.reduce(
    (left, lot) => (hasEnded(lot, at) ? left - remainingOf(lot, line.position) : left),
    balanceOf(line),
  );
}
