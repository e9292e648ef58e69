import {
  type MicroCredits,
  remainingOf,
  type Stretch,
} from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";

/** Where on the line, in credits. */
export function stretchText({ start, end }: Stretch): string {
  return `[${formatCredits(start)}, ${formatCredits(end)})`;
}

const WIDTH = 60;
const MOST_LOTS = 20;

/**
 * An account's line from its oldest lot that is drawn here to its end, each lot at least one
 * character wide: `#` gone, `-` left, `|` where a lot ends, `!` debt behind them.
 */
export function drawLine(lots: readonly Stretch[], position: MicroCredits): string {
  const standing = lots.filter((lot) => lot.end > lot.start).slice(-MOST_LOTS);
  const first = standing[0];
  const last = standing.at(-1);
  if (first === undefined || last === undefined) return position > 0n ? "|!!!" : "|";
  const total = (last.end > position ? last.end : position) - first.start;
  const wide = (credits: MicroCredits) => (credits === 0n ? 0 : Math.max(1, share(credits, total)));
  const parts = standing.map((lot) => {
    const left = remainingOf(lot, position);
    return "#".repeat(wide(lot.end - lot.start - left)) + "-".repeat(wide(left));
  });
  const debt = position > last.end ? "!".repeat(wide(position - last.end)) : "";
  return `|${parts.join("|")}|${debt}`;
}

function share(credits: MicroCredits, total: MicroCredits): number {
  return Number((credits * BigInt(WIDTH)) / total);
}
