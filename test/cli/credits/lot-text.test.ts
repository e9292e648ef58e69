import { expect, test } from "vitest";
import { drawLine } from "../../../services/cli/credits/lot-text.ts";

const lots = (...ends: bigint[]) =>
  ends.map((end, at) => ({ start: at === 0 ? 0n : (ends[at - 1] ?? 0n), end }));

test.each([
  ["nothing", lots(), 0n, "|"],
  ["debt without a lot", lots(), 5n, "|!!!"],
  ["a lot as granted", lots(10n), 0n, `|${"-".repeat(60)}|`],
  ["half used", lots(10n), 5n, `|${"#".repeat(30)}${"-".repeat(30)}|`],
  ["two lots, one used up", lots(10n, 20n), 10n, `|${"#".repeat(30)}|${"-".repeat(30)}|`],
  ["debt", lots(10n), 20n, `|${"#".repeat(30)}|${"!".repeat(30)}`],
  ["the smallest lot is still seen", lots(1n, 1_000_000n), 0n, `|-|${"-".repeat(59)}|`],
  ["a withdrawn lot is not", lots(10n, 10n, 20n), 0n, `|${"-".repeat(30)}|${"-".repeat(30)}|`],
])("%s", (_, line, position, drawn) => {
  expect(drawLine(line, position)).toBe(drawn);
});
