import { expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import type { PublishedEntry } from "../../shared/ledger/proof/verify-published.ts";
import { describeDifference } from "../../shared/reconcile/describe-difference.ts";
import { planRepair } from "../../shared/reconcile/repair.ts";

const accountId = toAccountId("restored");
const GRANT: PublishedEntry = {
  ...{ accountId, sequence: 4n, kind: "grant", credits: 5n, balance: 9n },
  ...{ lotId: "by-hand", reference: "ticket 12", dueAt: 0, postedAt: 0 },
};
const DEDUCTION: PublishedEntry = { ...GRANT, kind: "adjustment", credits: -5n, lotId: null };

test.each([
  ["a lot of another name", GRANT, { ...GRANT, lotId: "plan:2026-12" }],
  ["another kind", GRANT, { ...GRANT, kind: "expiry" as const }],
  ["a deduction for another reason", DEDUCTION, { ...DEDUCTION, reference: "ticket 13" }],
])("another movement under a published sequence stays: %s", (_, published, inBooks) => {
  expect(
    planRepair({ kind: "other_entry", accountId, published, inBooks, isContradicted: false }),
  ).toBeNull();
});

test("an entry that the account has never counted is left to a decision", () => {
  const missing = { kind: "missing_entry", accountId, sequence: 4n, published: GRANT } as const;
  const found = { ...missing, isContradicted: false };
  expect(planRepair({ ...found, isCounted: true })?.what).toBe("entry_restored");
  expect(planRepair({ ...found, isCounted: false })).toBeNull();
  expect(describeDifference({ ...found, isCounted: false })).toBe(
    "entry 4 is missing (grant of 0.000005 credits), and the account has never counted it: the record is forged, or the books were restored from a backup",
  );
});

test.each([
  ["other credits", { ...GRANT, credits: 6n }],
  ["another reference", { ...GRANT, reference: "forged" }],
])("the same movement is restored from its published record: %s", (_, inBooks) => {
  const found = { kind: "other_entry", accountId, published: GRANT, inBooks } as const;
  expect(planRepair({ ...found, isContradicted: false })?.what).toBe("entry_restored");
  expect(planRepair({ ...found, isContradicted: true })).toBeNull();
});
