/** Packages are read exactly, and every mistake in them is reported with its line. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import { parseOwnRates } from "../../shared/catalogue/parse-own-rates.ts";

const SECONDS = "credits: 0.5, per: 60";

test("a price says that each event is rounded up to whole packages", () => {
  expect(termsOf(`meters:\n  calls: { ${SECONDS}, round_up: each_event }`)).toEqual({
    ...{ credits: 500_000n, per: 60n },
    roundUp: "each_event",
  });
});

test("so does a rate by dimensions, by itself", () => {
  const rates = [
    `{ when: { to: abroad }, ${SECONDS}, round_up: each_event }`,
    "{ credits: 1, per: 1 }",
  ];
  expect(termsOf(`meters:\n  calls: { dimensions: [to], rates: [${rates.join(", ")}] }`)).toEqual({
    dimensions: ["to"],
    rates: [
      { patterns: ["abroad"], credits: 500_000n, per: 60n, roundUp: "each_event" },
      { patterns: [null], credits: 1_000_000n, per: 1n },
    ],
  });
});

test("an account's own rates may be for packages, too", () => {
  expect(parseOwnRates(new TextEncoder().encode(`{ ${SECONDS}, round_up: each_event }`))).toEqual({
    kind: "parsed",
    terms: { credits: 500_000n, per: 60n, roundUp: "each_event" },
  });
});

test.each([
  [`{ ${SECONDS}, round_up: up }`, "round_up", 'must be each_event or each_month, not "up"'],
  [`{ ${SECONDS}, round_up: }`, "round_up", 'must be each_event or each_month, not ""'],
  [`{ ${SECONDS}, round_up: true }`, "round_up", 'must be each_event or each_month, not "true"'],
  [`{ ${SECONDS}, round_up: [each_event] }`, "round_up", "must be each_event or each_month"],
  ["{ credits: 1, round_up: each_event }", "per", "is missing"],
  [
    "{ credits: 1, per: 0, round_up: each_event }",
    "per",
    'must be a whole number from 1 on, not "0"',
  ],
  [
    `{ round_up: each_event, dimensions: [to], rates: [{ ${SECONDS} }] }`,
    "round_up",
    "stands in each of the rates; leave it out here",
  ],
])("%s is refused with its place", (version, field, problem) => {
  const parsed = parseCatalogue(new TextEncoder().encode(`meters:\n  calls: ${version}`));
  expect(parsed).toEqual({
    kind: "unreadable",
    problems: [{ line: 2, field: `meters.calls.${field}`, problem }],
  });
});

function termsOf(text: string) {
  const parsed = parseCatalogue(new TextEncoder().encode(text));
  if (parsed.kind !== "parsed") throw new Error(JSON.stringify(parsed.problems));
  return parsed.asked.meters.get("calls")?.[0]?.terms;
}

test("the examples of the page on the catalogue can be read", () => {
  const page = readFileSync(new URL("../../docs/catalogue.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/^```yaml\n(meters:.*?)^```$/gms)].map(
    ([, block = ""]) => block,
  );
  expect(blocks.length).toBeGreaterThan(2);
  for (const block of blocks) {
    expect(parseCatalogue(new TextEncoder().encode(block))).toMatchObject({ kind: "parsed" });
  }
});
