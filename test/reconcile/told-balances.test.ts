import { expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { openToldBalances } from "../../shared/reconcile/told-balances.ts";

/** What billing.balances has of an account at version 5: version, partition, and whether the books know it. */
const ACCOUNT = toAccountId("acme");

test.each([
  { told: [], is: "balance_not_told" },
  { told: [[4n, 0]], is: "balance_not_told" },
  { told: [[null, 0]], is: "balance_not_told" },
  {
    told: [
      [4n, 0],
      [5n, 0],
    ],
    is: null,
  },
  {
    told: [
      [5n, 0],
      [4n, 0],
    ],
    is: "balance_overtaken",
  },
  {
    told: [
      [5n, 0],
      [null, 0],
    ],
    is: "balance_overtaken",
  },
  {
    told: [
      [5n, 0],
      [4n, 0],
      [5n, 0],
    ],
    is: null,
  },
  // Partitions were added: the old one keeps an old state for good.
  {
    told: [
      [3n, 0],
      [5n, 1],
    ],
    is: null,
  },
  {
    told: [
      [5n, 1],
      [3n, 0],
    ],
    is: null,
  },
  {
    told: [
      [5n, 1],
      [3n, 0],
      [4n, 1],
    ],
    is: "balance_overtaken",
  },
  { told: [[6n, 0]], is: "balance_ahead" },
  {
    told: [
      [6n, 0],
      [5n, 0],
    ],
    is: "balance_ahead",
  },
] as const)("an account at version 5, told as $told: $is", ({ told, is }) => {
  const balances = openToldBalances();
  for (const [version, partition] of told) balances.add(ACCOUNT, version, partition, true);
  expect(balances.differenceFrom(ACCOUNT, 5n)?.kind ?? null).toBe(is);
});

test("a state that is newer than the snapshot of the books is not ahead of them", () => {
  const balances = openToldBalances();
  balances.add(ACCOUNT, 5n, 0, true);
  balances.add(ACCOUNT, 6n, 0, false);
  expect(balances.differenceFrom(ACCOUNT, 5n)).toBeNull();
});
