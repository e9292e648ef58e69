/** What a new table changes. The same file changes nothing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ComparedRate,
  compareRates,
} from "../../../shared/catalogue/price-tables/compare-rates.ts";
import { parseMarkup } from "../../../shared/catalogue/price-tables/markup.ts";
import { parseCreditWorth, toRates } from "../../../shared/catalogue/price-tables/to-rates.ts";
import { fixture, rowsOf } from "./read-table.ts";

function ratesOf(text: string, markup = "1.3") {
  const priced = toRates(rowsOf(text), [parseMarkup(markup)], parseCreditWorth("USD 0.01"));
  if (priced.kind === "refused") throw new Error(JSON.stringify(priced.problems));
  return priced.rates;
}

test("the same file changes nothing, in whatever order its entries come", () => {
  for (const name of ["litellm.json", "models-dev.json"]) {
    const rates = ratesOf(fixture(name));
    const nothing = { added: [], dearer: [], cheaper: [], gone: [], unchanged: rates.length };
    expect(compareRates(rates, ratesOf(fixture(name)))).toEqual(nothing);
    expect(compareRates(rates.toReversed(), rates)).toEqual(nothing);
  }
});

test("rates are added, dearer, cheaper or gone", () => {
  const before = ratesOf(fixture("litellm.json"));
  const after = ratesOf(
    fixture("litellm.json")
      .replace('"input_cost_per_token": 3e-6', '"input_cost_per_token": 3.0000001e-06')
      .replace('"output_cost_per_token": 1.5e-5', '"output_cost_per_token": 1.4e-05')
      .replace("above_200k_tokens_priority", "above_128k_tokens_priority"),
  );
  const changes = compareRates(before, after);
  const names = (rates: readonly ComparedRate[]) =>
    rates.map(({ kind, band }) => `${kind} ${band.from}`);
  expect(names(changes.added)).toEqual(["input_tokens_priority 128001"]);
  expect(names(changes.gone)).toEqual(["input_tokens_priority 200001"]);
  expect(names(changes.dearer.map((of) => of.after))).toEqual(["input_tokens 0"]);
  expect(names(changes.cheaper.map((of) => of.before))).toEqual(["output_tokens 0"]);
  expect(changes.unchanged).toBe(before.length - 3);
  expect(changes.dearer[0]?.before.credits).toBe(390_000_000n);
  expect(changes.dearer[0]?.after.credits).toBe(390_000_013n);
});

test("a larger markup makes all dearer but what is free", () => {
  const changes = compareRates(
    ratesOf(fixture("litellm.json")),
    ratesOf(fixture("litellm.json"), "1.31"),
  );
  expect(changes.dearer).toHaveLength(28);
  expect(changes.unchanged).toBe(1);
});

const key = fc.record({
  kind: fc.constantFrom("a", "b"),
  provider: fc.constantFrom("p", "q", "p\nq"),
  model: fc.constantFrom("m", "n"),
  band: fc.record({ of: fc.constantFrom("quantity", "context"), from: fc.constantFrom(0n, 1n) }),
});
const rate = fc
  .tuple(key, fc.bigInt(0n, 4n), fc.bigInt(1n, 3n))
  .map(([of, credits, per]): ComparedRate => ({ ...of, credits: credits * per, per }));
const table = fc.uniqueArray(rate, { selector: name, maxLength: 20 });

test("each rate of two tables is in one place, by its price for as many units", () => {
  fc.assert(
    fc.property(table, table, (before, after) => {
      const changes = compareRates(before, after);
      const old = new Map(before.map((of) => [name(of), of]));
      const renewed = after.filter((of) => old.has(name(of)));
      const priceBefore = (of: ComparedRate) =>
        Number(old.get(name(of))?.credits) / Number(old.get(name(of))?.per);
      const price = (of: ComparedRate) => Number(of.credits) / Number(of.per);
      expect(changes.added).toEqual(after.filter((of) => !old.has(name(of))));
      expect(changes.dearer.map((of) => of.after)).toEqual(
        renewed.filter((of) => price(of) > priceBefore(of)),
      );
      expect(changes.cheaper.map((of) => of.after)).toEqual(
        renewed.filter((of) => price(of) < priceBefore(of)),
      );
      expect(changes.unchanged).toBe(renewed.filter((of) => price(of) === priceBefore(of)).length);
      expect(changes.gone).toEqual(
        before.filter((of) => !after.some((to) => name(to) === name(of))),
      );
    }),
  );
});

function name({ kind, provider, model, band }: ComparedRate): string {
  return JSON.stringify([kind, provider, model, band.of, String(band.from)]);
}
