import type { Instant, Lot } from "../../../shared/core/line/account.ts";
import { availableAt } from "../../../shared/core/line/available.ts";
import {
  balanceOf,
  type CreditLine,
  type MicroCredits,
  remainingOf,
  type Stretch,
} from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";

/** A change has brought the account down to its threshold. */
export const LOW_BALANCE =
  "The account is at or below its threshold: a low-balance event was published.";

/** A stretch of the line, in credits: "[0, 2.5)". */
export function stretchText({ start, end }: Stretch): string {
  return `[${formatCredits(start)}, ${formatCredits(end)})`;
}

/** "5 credits"; what has ended and is not posted as expired yet is named beside it. */
export function balanceText(
  line: CreditLine,
  lots: readonly Pick<Lot, "start" | "end" | "expiresAt">[],
  at: Instant,
): string {
  const balance = availableAt(line, lots, at);
  const ended = balanceOf(line) - balance;
  const note =
    ended === 0n ? "" : ` (without ${formatCredits(ended)} that have ended; the expiry follows)`;
  return `${formatCredits(balance)} credits${note}`;
}

const WIDTH = 60;
const MOST_LOTS = 20;

/**
 * Draws an account's line with its latest lots, each at least one character wide: `#` gone, `-` left,
 * `|` where a lot ends, `!` debt.
 */
export function drawLine(lots: readonly Stretch[], position: MicroCredits): string {
  const drawn = lots.filter((lot) => lot.end > lot.start).slice(-MOST_LOTS);
  const first = drawn[0];
  const last = drawn.at(-1);
  if (first === undefined || last === undefined) return position > 0n ? "|!!!" : "|";
  const total = (last.end > position ? last.end : position) - first.start;
  const wide = (credits: MicroCredits) => (credits === 0n ? 0 : Math.max(1, share(credits, total)));
  const parts = drawn.map((lot) => {
    const left = remainingOf(lot, position);
    return "#".repeat(wide(lot.end - lot.start - left)) + "-".repeat(wide(left));
  });
  const debt = position > last.end ? "!".repeat(wide(position - last.end)) : "";
  return `|${parts.join("|")}|${debt}`;
}

function share(credits: MicroCredits, total: MicroCredits): number {
  return Number((credits * BigInt(WIDTH)) / total);
}
