import type { SpendBar } from "../state/spend.ts";
import type { ShownSpend } from "../state/spend-state.ts";
import { shortCredits } from "../text/credit-text.ts";
import { keyName } from "../text/meter-text.ts";

/** The parts of a bar: "362.1 credits: voice 200, tokens 162.1" */
export function partsText(bar: SpendBar, { rows, grouping }: ShownSpend): string {
  const parts = rows
    .map(({ key }) => ({ key, credits: bar.parts.get(key) ?? 0n }))
    .filter(({ credits }) => credits > 0n)
    .map(({ key, credits }) => `${keyName(key, grouping)} ${shortCredits(credits)}`);
  if (parts.length === 0) return "nothing spent";
  const total = `${shortCredits(bar.total)} credits`;
  return `${total}: ${parts.join(", ")}`;
}
