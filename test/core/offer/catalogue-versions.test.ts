import { expect, test } from "vitest";
import {
  addOnAt,
  type Catalogue,
  planAt,
  versionAt,
} from "../../../shared/core/offer/catalogue.ts";

const march = { validFrom: Date.UTC(2026, 2, 1) };
const may = { validFrom: Date.UTC(2026, 4, 1) };

test.each([
  { at: "2026-02-28T23:59:59.999Z", is: null },
  { at: "2026-03-01T00:00:00Z", is: march },
  { at: "2026-04-30T23:59:59.999Z", is: march },
  { at: "2026-05-01T00:00:00Z", is: may },
  { at: "2036-01-01T00:00:00Z", is: may },
])("at $at the newest version valid by then applies", ({ at, is }) => {
  expect(versionAt([march, may], Date.parse(at))).toBe(is);
});

test("an unknown id has no version at any instant", () => {
  const plan = {
    planId: "pro",
    ...march,
    credits: 1n,
    life: { kind: "usual" },
    firstCredits: "when_paid",
    firstMonth: "whole",
    prices: [],
  } as const;
  const addOn = { addOnId: "voice", ...may, credits: 1n };
  const catalogue: Catalogue = {
    plans: new Map([["pro", [plan]]]),
    addOns: new Map([["voice", [addOn]]]),
    creditPrices: new Map(),
  };
  expect(planAt(catalogue, "pro", may.validFrom)).toBe(plan);
  expect(planAt(catalogue, "voice", may.validFrom)).toBeNull();
  expect(addOnAt(catalogue, "voice", may.validFrom)).toBe(addOn);
  expect(addOnAt(catalogue, "voice", march.validFrom)).toBeNull();
});
