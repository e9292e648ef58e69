import type { ExplainedUsageData } from "../../../shared/contract/usage-record.ts";
import { type LotOnLine, lotName } from "../state/lot-on-line.ts";
import { exactCredits } from "../text/credit-text.ts";

/** A part of what an event cost, and who paid it. */
export interface PaidByText {
  readonly key: string;
  readonly credits: string;
  readonly from: string;
}

const SOURCES = {
  ...{ plan: "a plan's credits", top_up: "a top-up" },
  ...{ promotion: "a promotion", adjustment: "an adjustment" },
} as const;

/**
 * Which lots paid for an event, oldest first, and what is owed of it. A lot that stands on the line no
 * more goes by where it came from.
 */
export function paidByTexts(
  { lots, owed }: Pick<ExplainedUsageData, "lots" | "owed">,
  standing: readonly LotOnLine[],
  zone: string,
): readonly PaidByText[] {
  const paid = lots.map(({ lot_id, source, credits }) => {
    const lot = standing.find(({ lotId }) => lotId === lot_id);
    const name = lot === undefined ? `${SOURCES[source]} that has ended` : lotName(lot, zone);
    return { key: lot_id, credits: exactCredits(BigInt(credits)), from: `from ${name}` };
  });
  if (paid.length === 0 && BigInt(owed) === 0n) {
    return [{ key: "free", credits: "0", from: "credits: it cost nothing" }];
  }
  if (BigInt(owed) === 0n) return paid;
  const debt = { credits: exactCredits(BigInt(owed)), from: "owed: the next credits repay it" };
  return [...paid, { key: "owed", ...debt }];
}
