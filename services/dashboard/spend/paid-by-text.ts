import type { ExplainedUsageData } from "../../../shared/contract/usage-record.ts";
import { type LotOnLine, lotName } from "../state/lot-on-line.ts";
import { exactCredits } from "../text/credit-text.ts";

/** A part of an event's cost, and the lot that paid it. */
export interface PaidByText {
  readonly key: string;
  readonly credits: string;
  readonly from: string;
}

const SOURCES = {
  ...{ plan: "earlier plan credits", top_up: "an earlier top-up" },
  ...{ promotion: "an earlier promotion", adjustment: "an earlier adjustment" },
} as const;

/**
 * The lots that paid for an event, oldest first, and what is still owed. A lot that is no longer shown
 * is named by its source.
 */
export function paidByTexts(
  { lots, owed }: Pick<ExplainedUsageData, "lots" | "owed">,
  shown: readonly LotOnLine[],
  zone: string,
): readonly PaidByText[] {
  const paid = lots.map(({ lot_id, source, credits }) => {
    const lot = shown.find(({ lotId }) => lotId === lot_id);
    const name = lot === undefined ? SOURCES[source] : lotName(lot, zone);
    return { key: lot_id, credits: exactCredits(BigInt(credits)), from: `from ${name}` };
  });
  if (paid.length === 0 && BigInt(owed) === 0n) {
    return [{ key: "free", credits: "0", from: "credits: it cost nothing" }];
  }
  if (BigInt(owed) === 0n) return paid;
  const debt = { credits: exactCredits(BigInt(owed)), from: "owed: the next credits repay it" };
  return [...paid, { key: "owed", ...debt }];
}
