/** Which versions an import adds, given those that there are. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMarkup } from "../../../shared/catalogue/price-tables/markup.ts";
import {
  type ImportPlan,
  type ImportTerms,
  planImport,
} from "../../../shared/catalogue/price-tables/plan-import.ts";
import { selectRows } from "../../../shared/catalogue/price-tables/select-rows.ts";
import { parseCreditWorth, toRates } from "../../../shared/catalogue/price-tables/to-rates.ts";
import { toMeterVersion } from "../../../shared/core/offer/catalogue-terms.ts";
import {
  type MeterVersion,
  type RateCard,
  toRateCard,
} from "../../../shared/core/offer/rate-card.ts";
import { rateTable } from "../../../shared/core/offer/rate-table.ts";
import { cpuTimeOf } from "../../support/cpu-time.ts";
import { rowsOf } from "./read-table.ts";

const SOURCE = {
  ...{ importedAt: null, file: "prices.csv", format: "csv", sha256: "00" },
  ...{ currency: "USD", perCredit: "1", markups: [] },
};
const ALL: ImportTerms = { only: [], from: null, source: SOURCE };
const HEADER = "provider,model,kind,price,per";

function csvOf(...rows: readonly string[]): string {
  return [HEADER, ...rows].join("\n");
}

function ratesOf(csv: string, only: readonly string[] = [], markup = "1") {
  const selected = selectRows(rowsOf(csv), only);
  if (selected.kind === "refused") throw new Error(JSON.stringify(selected.problems));
  const priced = toRates(selected.rows, [parseMarkup(markup)], parseCreditWorth("USD 1"));
  if (priced.kind === "refused") throw new Error(JSON.stringify(priced.problems));
  return priced.rates;
}

function plan(csv: string, card: RateCard, terms: Partial<ImportTerms> = {}): ImportPlan {
  return planImport(ratesOf(csv, terms.only), card, { ...ALL, ...terms });
}

/** The card once a plan is applied, its versions beginning at `validFrom`. */
function applied({ requested }: ImportPlan, card: RateCard, validFrom: number): RateCard {
  const added = [...requested.meters].flatMap(([meter, versions]) =>
    versions.map(({ terms }): MeterVersion => toMeterVersion({ meter, validFrom }, terms)),
  );
  return toRateCard([...[...card.values()].flat(), ...added]);
}

/** "provider/model: credits/per", in the order of the version that the plan adds to a meter. */
function ratesIn({ requested }: ImportPlan, meter = "calls"): string[] | null {
  const [version] = requested.meters.get(meter) ?? [];
  if (version === undefined || !("rates" in version.terms)) return null;
  return version.terms.rates.map(
    ({ patterns, credits, per }) =>
      `${patterns.map((pattern) => pattern ?? "*").join("/")}: ${credits}/${per}`,
  );
}

const EMPTY: RateCard = new Map();

describe("an import is compared with", () => {
  const table = (credits: bigint, validFrom: number) =>
    rateTable(
      { meter: "calls", validFrom },
      { dimensions: ["model", "provider"], rates: [{ patterns: ["m", "a"], credits, per: 1n }] },
    );
  const card = toRateCard([table(1_000_000n, 1_000), table(2_000_000n, 2_000)]);

  test.each([
    [null, 2_000],
    [1_999, 1_000],
    [2_000, 2_000],
    [999, undefined],
  ])("the version in force at %s", (from, base) => {
    const [meter] = plan(csvOf("a,m,calls,3,1"), card, { from }).meters;
    expect(meter?.base?.validFrom).toBe(base);
  });

  test("rates whose dimensions stand in another order, or one of them only", () => {
    expect(plan(csvOf("a,m,calls,2,1"), card).requested.meters.size).toBe(0);
    const byModel = rateTable(
      { meter: "calls", validFrom: 0 },
      { dimensions: ["model"], rates: [{ patterns: ["m-*"], credits: 5n, per: 1n }] },
    );
    const kept = plan(csvOf("a,m,calls,2,1"), toRateCard([byModel]), { only: ["a/*"] });
    expect(ratesIn(kept)).toEqual(["*/m-*: 5/1", "a/m: 2000000/1"]);
  });
});

describe("a version has", () => {
  const csv = csvOf("a,m,calls,1,1", "a,n,calls,1,1", "b,m,calls,1,1");
  const card = applied(plan(csv, EMPTY), EMPTY, 1);

  test("what is in the file and nothing else, if everything is imported", () => {
    const other = plan(csvOf("a,m,calls,1,1", "c,m,calls,1,1"), card);
    expect(ratesIn(other)).toEqual(["a/m: 1000000/1", "c/m: 1000000/1"]);
    expect(other.meters[0]?.changes).toMatchObject({ unchanged: 1, gone: [{}, {}] });
  });

  test("besides the file's what is outside of the patterns", () => {
    const other = plan(csvOf("a,m,calls,2,1", "b,m,calls,7,1"), card, { only: ["a/*"] });
    expect(ratesIn(other)).toEqual(["b/m: 1000000/1", "a/m: 2000000/1"]);
    expect(other.meters[0]).toMatchObject({ kept: 1, changes: { gone: [{ model: "n" }] } });
  });

  test("no part where a meter is not in the file", () => {
    expect(plan(csvOf("a,m,other,1,1"), card).meters.map(({ meter }) => meter)).toEqual(["other"]);
  });
});

test("rates that are kept and tie once what they have in common is gone are refused", () => {
  const rates = [
    { patterns: ["a", null], credits: 1n, per: 1n },
    { patterns: [null, "m"], credits: 1n, per: 1n },
    { patterns: ["a", "m"], credits: 1n, per: 1n },
  ];
  const card = toRateCard([
    rateTable({ meter: "calls", validFrom: 0 }, { dimensions: ["provider", "model"], rates }),
  ]);
  const refused = plan(csvOf("a,mm,calls,1,1"), card, { only: ["a/m*"] });
  expect(refused.problems).toEqual([
    {
      line: 2,
      field: "calls",
      problem:
        "its rates for model=m and provider=a, which are kept, may match the same events once what both have in common is gone",
    },
  ]);
  expect(refused.requested.meters.size).toBe(0);
});

test("an import that is applied changes nothing the second time, whatever was there", () => {
  const price = fc.tuple(
    fc.constantFrom("a", "b", "ab"),
    fc.constantFrom("m", "mm", "n"),
    fc.constantFrom("calls", "tokens"),
    fc.constantFrom("1", "2", "0.0000003", "7e-7"),
    fc.constantFrom("1", "3", "1000000"),
  );
  const file = fc
    .uniqueArray(price, { selector: (row) => row.slice(0, 3).join(), minLength: 1, maxLength: 18 })
    .map((rows) => csvOf(...rows.map((row) => row.join(","))));
  const only = fc.constantFrom<readonly string[]>([], ["a/*"], ["*/m*"], ["*"]);
  fc.assert(
    fc.property(file, file, only, (first, second, patterns) => {
      const card = applied(plan(first, EMPTY), EMPTY, 1);
      const selects = selectRows(rowsOf(second), patterns);
      fc.pre(selects.kind === "selected" && selects.rows.length > 0);
      const once = plan(second, card, { only: patterns });
      expect(once.problems).toEqual([]);
      const again = plan(second, applied(once, card, 2), { only: patterns });
      expect(again.requested.meters.size).toBe(0);
      for (const { changes } of again.meters) {
        expect([changes.added, changes.dearer, changes.cheaper, changes.gone].flat()).toEqual([]);
      }
    }),
  );
});

test("100,000 prices are planned soon, also beside as many", () => {
  const rows = Array.from(
    { length: 100_000 },
    (_, at) => `p${at % 50},m${at},calls,${at + 1}e-7,1`,
  );
  const csv = csvOf(...rows);
  const card = applied(plan(csv, EMPTY), EMPTY, 1);
  const rates = ratesOf(csv, [], "1.1");
  const took = cpuTimeOf(() => {
    expect(planImport(rates, card, ALL).meters[0]?.changes.dearer).toHaveLength(100_000);
  });
  expect(took).toBeLessThan(10_000);
});
