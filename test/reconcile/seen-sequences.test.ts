import { expect, test } from "vitest";
import { openSequences } from "../../shared/reconcile/seen-sequences.ts";

const HUGE = 9_000_000_000_000_000_000n;
const accountId = "acme";

test("a huge sequence costs nothing, and hides nothing that was not published", () => {
  const sequences = openSequences();
  for (const sequence of [1n, 2n, HUGE]) sequences.add({ accountId, sequence });
  expect(sequences.missing(accountId, 1n, 5n)).toEqual([{ from: 3n, to: 5n }]);
});

test("one that is left out between two others is missing", () => {
  const sequences = openSequences();
  for (const sequence of [1n, 3n]) sequences.add({ accountId, sequence });
  expect(sequences.missing(accountId, 1n, 3n)).toEqual([{ from: 2n, to: 2n }]);
});

test("what is published later closes its gap and leaves the rest", () => {
  const sequences = openSequences();
  for (const sequence of [1n, 9n, 5n, 3n, 3n, 2n, 9n]) sequences.add({ accountId, sequence });
  expect(sequences.missing(accountId, 1n, 10n)).toEqual([
    { from: 4n, to: 4n },
    { from: 6n, to: 8n },
    { from: 10n, to: 10n },
  ]);
});
