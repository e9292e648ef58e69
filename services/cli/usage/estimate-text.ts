import type { toEstimate } from "../../../shared/contract/estimate.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { rateText } from "../credits/explain-event.ts";
import { printable, table } from "../shell/print.ts";

type Shown = ReturnType<typeof toEstimate>;

export function estimateText(estimate: Shown): string {
  const { lines, least, most } = estimate;
  const rows = [
    ...lines.map((line) => ({
      meter: line.meter,
      quantity: String(line.quantity),
      credits: creditsText(line),
      rate: line.rate === null ? "" : rateText(line.rate),
    })),
    ...(lines.length === 1
      ? []
      : [{ meter: "total", quantity: "", credits: creditsText({ least, most }), rate: "" }]),
  ];
  const shown = table(rows, [
    ["METER", ({ meter }) => meter],
    ["QUANTITY", ({ quantity }) => quantity, "right"],
    ["CREDITS", ({ credits }) => credits, "right"],
    ["RATE", ({ rate }) => rate],
  ]);
  return [shown, ...balanceText(estimate)].join("\n\n");
}

/** One sentence about what has no price; null: all of it has one. */
export function estimateFailure({ lines, unpriced }: Shown): string | null {
  if (unpriced === 0) return null;
  const why = new Set(lines.flatMap(({ detail }) => (detail === null ? [] : [printable(detail)])));
  return `${unpriced} of ${countOf(lines.length, "line")} ${unpriced === 1 ? "has" : "have"} no price: ${[...why].join("; ")}`;
}

/** "0.5 to 0.500001": what an account has carried along may complete a micro-credit. */
function creditsText({ least, most }: Pick<Shown["lines"][number], "least" | "most">): string {
  if (least === null || most === null) return "no price";
  return least === most
    ? formatCredits(least)
    : `${formatCredits(least)} to ${formatCredits(most)}`;
}

function balanceText({ accountId, balance, covered }: Shown): string[] {
  if (accountId === null || balance === null) return [];
  const available = `${printable(accountId)} has ${formatCredits(balance)} credits available`;
  if (covered === null) return [`${available}; whether that is enough is not known.`];
  return [`${available}: ${covered ? "enough" : "not enough"}.`];
}
