/** Tiers and packages of a month are read exactly, and every mistake in them is reported with its line. */
import { expect, test } from "vitest";
import { parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import { parseOwnRates } from "../../shared/catalogue/parse-own-rates.ts";

const TIERS = "tiers: [{ up_to: 1000, credits: 2, per: 1 }, { credits: 1, per: 3 }]";
const TERMS = {
  ...{ credits: 6_000_000n, per: 3n },
  tiers: [
    { upTo: 1000n, credits: 2_000_000n, per: 1n },
    { upTo: null, credits: 1_000_000n, per: 3n },
  ],
};

test("a meter may have tiers by what is used in a month", () => {
  expect(parsed(`{ ${TIERS} }`)).toEqual(TERMS);
});

test("so may an account's own rates of it", () => {
  const bytes = new TextEncoder().encode(`{ ${TIERS} }`);
  expect(parseOwnRates(bytes)).toEqual({ kind: "parsed", terms: TERMS });
});

test("a meter may sell packages of the month", () => {
  const terms = { credits: 1_000_000n, per: 1000n, roundUp: "each_month" };
  expect(parsed("{ credits: 1, per: 1000, round_up: each_month }")).toEqual(terms);
});

const of = (tiers: string) => `{ tiers: [${tiers}] }`;
const OPEN = "{ credits: 1, per: 1 }";

test.each([
  [of(""), "tiers", "lists no tier; state some"],
  ["{ tiers: 5 }", "tiers", "must list tiers, such as - { up_to: 1000, credits: 2, per: 1 }"],
  [of("{ up_to: 5, credits: 1, per: 1 }"), "tiers[0].up_to", "ends the last tier; leave it out"],
  [of(`${OPEN}, ${OPEN}`), "tiers[0].up_to", "is missing; only the last tier has no end"],
  [
    of(`{ up_to: 5, credits: 1, per: 1 }, { up_to: 5, credits: 1, per: 1 }, ${OPEN}`),
    "tiers[1].up_to",
    "must be more than 5, where the tier before ends",
  ],
  [
    of(`{ up_to: 0, credits: 1, per: 1 }, ${OPEN}`),
    "tiers[0].up_to",
    'must be a whole number from 1 to 9223372036854775807 in digits, not "0"',
  ],
  [
    of(`{ up_to: 9223372036854775808, credits: 1, per: 1 }, ${OPEN}`),
    "tiers[0].up_to",
    'must be a whole number from 1 to 9223372036854775807 in digits, not "9223372036854775808"',
  ],
  [of("{ credits: 1, per: 0 }"), "tiers[0].per", 'must be a whole number from 1 on, not "0"'],
  [of("{ credits: -1, per: 1 }"), "tiers[0].credits", expect.stringContaining("-1")],
  [
    of("{ up_to: 5, credits: 1, per: 9223372036854775807 }, { credits: 1, per: 2 }"),
    "tiers",
    "have no common multiple of their per in 64 bits; use rounder numbers",
  ],
  [of(Array(101).fill(OPEN).join(", ")), "tiers", "lists more than 100 tiers"],
  [
    `{ credits: 1, ${TIERS} }`,
    "credits",
    "stands beside tiers, which have prices of their own; leave it out",
  ],
  [
    `{ round_up: each_month, ${TIERS} }`,
    "round_up",
    "stands beside tiers, which have prices of their own; leave it out",
  ],
  [
    `{ dimensions: [model], rates: [{ credits: 1, per: 1 }], ${TIERS} }`,
    "tiers",
    "count the usage of a month, which rates do not; state a meter for each",
  ],
  [
    "{ dimensions: [model], rates: [{ credits: 1, per: 2, round_up: each_month }] }",
    "rates[0].round_up",
    "is the usage of a month, which a meter with one price alone counts",
  ],
])("%s is refused with its place", (version, field, problem) => {
  const read = parseCatalogue(new TextEncoder().encode(`meters:\n  calls: ${version}`));
  expect(read).toMatchObject({
    kind: "unreadable",
    problems: expect.arrayContaining([{ line: 2, field: `meters.calls.${field}`, problem }]),
  });
});

function parsed(version: string) {
  const read = parseCatalogue(new TextEncoder().encode(`meters:\n  calls: ${version}`));
  if (read.kind !== "parsed") throw new Error(JSON.stringify(read.problems));
  return read.asked.meters.get("calls")?.[0]?.terms;
}
