/**
 * - a file is read exactly: no number ever becomes a floating-point number
 * - every mistake is reported with its line, its field and its remedy
 * - no file, however malicious, takes the process down
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseCatalogue } from "../../shared/catalogue/parse-catalogue.ts";
import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import { cpuTimeOf } from "../support/cpu-time.ts";

const parse = (text: string) => parseCatalogue(Buffer.from(text));

/** Each mistake as "line: field: problem". */
function problemsOf(text: string | Uint8Array): string[] {
  const parsed = typeof text === "string" ? parse(text) : parseCatalogue(text);
  if (parsed.kind === "parsed") return [];
  return parsed.problems.map(({ line, field, problem }) => `${line}: ${field}: ${problem}`);
}

function asked(text: string) {
  const parsed = parse(text);
  if (parsed.kind === "unreadable") throw new Error(problemsOf(text).join("\n"));
  return parsed.asked;
}

const METER = `# what is on offer
meters:
  llm.input_tokens: { credits: 0.000001, per: 1000 }
`;

describe("a file is read", () => {
  test("with single terms, lists of versions, lives and prices", () => {
    const { meters, plans, addOns, creditPrices } = asked(`${METER}
plans:
  pro:
    credits: 9223372036854.775807
    life: 1 month
    prices:
      USD: { monthly: 29.90, yearly: "299" }
      JPY: { monthly: 0, yearly: 9223372036854775807 }
`);
    expect([...meters]).toEqual([
      [
        "llm.input_tokens",
        [
          {
            from: null,
            terms: { credits: 1n, per: 1000n },
            place: { line: 3, field: "meters.llm.input_tokens" },
          },
        ],
      ],
    ]);
    expect(plans.get("pro")).toEqual([
      {
        from: null,
        terms: {
          credits: MAX_BIGINT,
          life: { kind: "months", months: 1 },
          firstCredits: "when_paid",
          firstMonth: "whole",
          prices: [
            { currency: "JPY", monthly: 0n, yearly: MAX_BIGINT },
            { currency: "USD", monthly: 2990n, yearly: 29900n },
          ],
        },
        place: { line: 6, field: "plans.pro" },
      },
    ]);
    expect([...addOns, ...creditPrices]).toEqual([]);
  });

  test("with what a plan says of its first month", () => {
    const first = "    first_credits: immediately\n    first_month: by_days";
    const { plans } = asked(`${METER}${plan(`${first}\n${euros}`)}`);
    expect(plans.get("pro")?.[0]?.terms).toMatchObject({
      firstCredits: "immediately",
      firstMonth: "by_days",
    });
  });

  test("with a meter's feeds", () => {
    const { meters } = asked(`meters:
  out:
    - { credits: 1, per: 1, feed: { event_type: "a prompt", value: $.tokens.out, dimensions: { model: $.model } } }
    - { from: 2027-01-01T00:00:00Z, credits: 1, per: 1, feed: { event_type: prompt } }
    - { from: 2028-01-01T00:00:00Z, credits: 1, per: 1 }
`);
    const price = { credits: 1_000_000n, per: 1n };
    expect(meters.get("out")?.map(({ terms }) => terms)).toEqual([
      {
        ...price,
        feed: {
          eventType: "a prompt",
          value: ["tokens", "out"],
          dimensions: new Map([["model", ["model"]]]),
        },
      },
      { ...price, feed: { eventType: "prompt", value: null, dimensions: new Map() } },
      price,
    ]);
  });

  test("with names and units, which belong to the item and not to its versions", () => {
    const text = `meters:
  kb.queries: { credits: 1, per: 1, name: Searches <b>&amp;</b>, unit: { one: query, many: queries } }
  plain: { credits: 1, per: 1 }
  counted: { credits: 1, per: 1, unit: { one: ms, many: ms } }
add_ons:
  voice:
    - { credits: 1, name: "قنوات 👩‍👩‍👧" }
    - { from: 2027-01-01T00:00:00Z, credits: 2 }
    - { from: 2028-01-01T00:00:00Z, credits: 2, name: "قنوات 👩‍👩‍👧" }
${plan(`    name: ${"n".repeat(60)}\n${euros}`)}`;
    const { meters, addOns, plans, names } = asked(text);
    expect(names).toEqual([
      {
        ...{ what: "meter", id: "kb.queries", name: "Searches <b>&amp;</b>" },
        unit: { one: "query", many: "queries" },
      },
      { what: "meter", id: "counted", name: null, unit: { one: "ms", many: "ms" } },
      { what: "plan", id: "pro", name: "n".repeat(60), unit: null },
      { what: "add_on", id: "voice", name: "قنوات 👩‍👩‍👧", unit: null },
    ]);
    const terms = [meters, addOns, plans].flatMap((items) =>
      [...items.values()].flat().map((version) => Object.keys(version.terms)),
    );
    expect(terms.flat()).not.toContain("name");
    expect(terms.flat()).not.toContain("unit");
  });

  test("with names of dimensions and of their values, alone if need be", () => {
    const text = `dimensions:
  model: { name: Model, values: { gpt-5: GPT-5, 4.5: "Claude 4.5", "a=b": A } }
  team: { name: Team }
  region: { values: { eu: Europe } }
`;
    const { meters, names } = asked(text);
    expect(meters.size).toBe(0);
    expect(names.map(({ what, id, name, unit }) => [what, id, name, unit])).toEqual([
      ["dimension", "model", "Model", null],
      ["dimension_value", "model=gpt-5", "GPT-5", null],
      ["dimension_value", "model=4.5", "Claude 4.5", null],
      ["dimension_value", "model=a=b", "A", null],
      ["dimension", "team", "Team", null],
      ["dimension_value", "region=eu", "Europe", null],
    ]);
  });

  test("with instants, of which only the first in a list may be omitted", () => {
    const { addOns, creditPrices } = asked(`add_ons:
  voice:
    - credits: 1
    - { from: 2027-01-01T02:00:00+02:00, credits: 2 }
credit_prices:
  EUR: { from: 2026-01-01T00:00:00Z, credits: 100, life: never }
`);
    expect(addOns.get("voice")).toEqual([
      { from: null, terms: { credits: 1_000_000n }, place: { line: 3, field: "add_ons.voice[0]" } },
      {
        from: Date.UTC(2027, 0),
        terms: { credits: 2_000_000n },
        place: { line: 4, field: "add_ons.voice[1]" },
      },
    ]);
    expect(creditPrices.get("EUR")).toMatchObject([
      { from: Date.UTC(2026, 0), terms: { life: { kind: "never" } } },
    ]);
  });

  test("as JSON too, with numbers as exact", () => {
    const { plans } = asked(
      JSON.stringify(
        {
          plans: {
            "pro \u{1F680}": { credits: 0.1, prices: { EUR: { monthly: 9.9, yearly: "99.00" } } },
          },
        },
        null,
        "\t",
      ),
    );
    expect(plans.get("pro \u{1F680}")?.[0]?.terms).toEqual({
      credits: 100_000n,
      life: { kind: "usual" },
      firstCredits: "when_paid",
      firstMonth: "whole",
      prices: [{ currency: "EUR", monthly: 990n, yearly: 9900n }],
    });
  });

  test("with any line ending, and with a byte order mark", () => {
    expect(asked(`\uFEFF${METER.replaceAll("\n", "\r\n")}`).meters).toEqual(asked(METER).meters);
  });

  test("the sample of the demo", () => {
    const sample = readFileSync(
      new URL("../../infra/demo/catalogue.yaml", import.meta.url),
      "utf8",
    );
    const { meters, plans, addOns, creditPrices, names } = asked(sample);
    expect([meters, plans, addOns, creditPrices].map(({ size }) => size)).toEqual([5, 3, 3, 3]);
    expect(names.map(({ what, name }) => `${what} ${name}`)).toEqual([
      ...[
        "meter Text read",
        "meter Text written",
        "meter Voice",
        "meter Assistant",
        "meter Searches",
      ],
      ...["plan Starter", "plan Growth", "plan Scale"],
      ...["add_on Calls at once", "add_on Knowledge bases", "add_on Voice cloning"],
      ...["dimension Model", "dimension_value Sonata", "dimension_value Fugue"],
      ...["dimension_value Prelude 2", "dimension_value Prelude 3", "dimension Kind of token"],
    ]);
  });
});

const addOn = (value: string) => `add_ons:\n  voice:\n    credits: ${value}`;
const meter = (fields: string) => `meters:\n  calls:\n    { ${fields} }`;
const feed = (of: string) => `meters:\n  calls:\n    credits: 1\n    feed: ${of}\n    per: 1`;
const fields = (count: number) =>
  Array.from({ length: count }, (_, at) => `d${at}: $.a`).join(", ");
const plan = (fields: string) => `plans:\n  pro:\n    credits: 5\n${fields}`;
const euros = "    prices: { EUR: { monthly: 1, yearly: 10 } }";

describe("a name is refused", () => {
  test.each([
    ["x".repeat(61), "has 61 characters; at most 60 are allowed"],
    ['""', "shows nothing"],
    ['"\\u200b \\u3164"', "shows nothing"],
    ['" a"', "begins or ends with a blank"],
    ['"a\\nb"', "holds a line break or another control character"],
    ['"a\\u2028b"', "holds a line break or another control character"],
    ['"\\e[2J"', "holds a line break or another control character"],
    ['"a\\u202eb"', "holds a mark that turns the direction of text"],
    ['"a\\u2067b"', "holds a mark that turns the direction of text"],
    ['"a\\u200fb"', "holds a mark that turns the direction of text"],
    ["[a]", "must be a name like Voice calls"],
  ])("%s", (text, problem) => {
    expect(problemsOf(`${addOn("1")}\n    name: ${text}`)).toEqual([
      `4: add_ons.voice.name: ${problem}`,
    ]);
  });

  test("that is another in a later version; so is a unit", () => {
    const text = `meters:
  calls:
    - { credits: 1, per: 1, name: Calls, unit: { one: call, many: calls } }
    - { from: 2027-01-01T00:00:00Z, credits: 1, per: 1, name: Talks, unit: { one: call, many: talks } }
`;
    const problem = "differs from that of another version, but has no versions; state it once";
    expect(problemsOf(text)).toEqual([
      `4: meters.calls[1].name: ${problem}`,
      `4: meters.calls[1].unit: ${problem}`,
    ]);
  });

  test("of a credit price, and the unit of what is no meter", () => {
    expect(problemsOf(`${addOn("1")}\n    unit: { one: a, many: b }`)).toEqual([
      "4: add_ons.voice.unit: there is no such field; there are from, name, credits",
    ]);
    expect(problemsOf("credit_prices:\n  EUR: { credits: 1, name: Euro }")).toEqual([
      "2: credit_prices.EUR.name: there is no such field; there are from, credits, life",
    ]);
    expect(problemsOf(meter("credits: 1, per: 1, unit: ms"))).toEqual([
      "3: meters.calls.unit: must have the fields one, many",
    ]);
  });
});

describe("a number is refused", () => {
  test.each([
    ["-1", "-1 credits are below zero"],
    ["0", "must be more than 0 credits"],
    ["0.0", "must be more than 0 credits"],
    ["0.0000001", "0.0000001 has more than 6 decimals"],
    [
      "9223372036854.775808",
      "9223372036854.775808 credits are more than the 9223372036854.775807 possible",
    ],
    ["", "the credits are empty"],
    ["[1]", "must be credits like 3 or 0.25"],
    ["{a: 1}", "must be credits like 3 or 0.25"],
    ...[
      "1e400",
      "1e3",
      ".nan",
      "NaN",
      ".inf",
      "Infinity",
      "0x10",
      "1_000",
      "1,5",
      "true",
      "null",
      "~",
    ].map((text) => [text, `"${text}" is not an amount of credits; write it like 3 or 0.25`]),
  ])("credits: %s", (text, problem) => {
    expect(problemsOf(addOn(text ?? ""))).toEqual([`3: add_ons.voice.credits: ${problem}`]);
  });

  test("of any length, in a short message", () => {
    const [problem = ""] = problemsOf(addOn("9".repeat(1000)));
    expect(problem.length).toBeLessThan(200);
    expect(problemsOf(addOn("9".repeat(1025)))).toEqual([
      "3: add_ons.voice.credits: holds a text of more than 1024 characters",
    ]);
  });
});

describe("a mistake is reported with its line, field and remedy", () => {
  test.each<(string | RegExp)[]>([
    ["", "1: : states nothing"],
    ["# nothing yet\n", "1: : states nothing"],
    ["just words", "1: : must have the fields meters, plans, add_ons, credit_prices, dimensions"],
    ["- a", "1: : must have the fields meters, plans, add_ons, credit_prices, dimensions"],
    ["{}", "1: : states nothing"],
    ["\n\nplan:\n  pro: {}", "3: plan: there is no such field; did you mean plans?"],
    ["add-ons: {}", "1: add-ons: there is no such field; did you mean add_ons?"],
    [
      "coupons: {}",
      "1: coupons: there is no such field; there are meters, plans, add_ons, credit_prices, dimensions",
    ],
    ["dimensions: { model: {} }", "1: dimensions.model: names nothing; leave it out"],
    ["dimensions: { model: Model }", "1: dimensions.model: must have the fields name, values"],
    ["dimensions: { a=b: { name: A } }", "1: dimensions.a=b: holds =, so it cannot be named"],
    [
      "dimensions: { model: { values: {} } }",
      "1: dimensions.model.values: names nothing; leave it out",
    ],
    [
      "dimensions: { model: { values: { gpt-5: ' ' } } }",
      "1: dimensions.model.values.gpt-5: shows nothing",
    ],
    [
      "dimensions: { model: { value: { gpt-5: A } } }",
      "1: dimensions.model.value: there is no such field; did you mean values?",
    ],
    ["plans:\n", "1: plans: must have names and what each stands for"],
    ["plans: {}", "1: plans: names nothing; leave it out"],
    [
      "plans:\n  pro:\n",
      "2: plans.pro: must have the fields from, name, credits, life, first_credits, first_month, prices",
    ],
    ["add_ons:\n  voice: []", "2: add_ons.voice: lists no version; state one"],
    ['add_ons:\n  "": { credits: 1 }', "2: add_ons.: the name is empty"],
    [
      `add_ons:\n  ${"v".repeat(257)}: { credits: 1 }`,
      `2: add_ons.${"v".repeat(257)}: the name has 257 characters; at most 256 are allowed`,
    ],
    ["add_ons:\n  __proto__: { credits: 1 }", "2: add_ons.__proto__: is no possible name"],
    ["add_ons:\n  voice: {}", "2: add_ons.voice.credits: is missing"],
    [meter("credits: 1"), "2: meters.calls.per: is missing"],
    [meter("credits: 1, per: 0"), '3: meters.calls.per: must be a whole number from 1 on, not "0"'],
    [
      meter("credits: 1, per: 1.5"),
      '3: meters.calls.per: must be a whole number from 1 on, not "1.5"',
    ],
    [
      meter("credits: 1, per: 9223372036854775808"),
      '3: meters.calls.per: must be a whole number from 1 on, not "9223372036854775808"',
    ],
    [
      meter("credits: 1, per: 1, form: 2026-01-01T00:00:00Z"),
      "3: meters.calls.form: there is no such field; did you mean from?",
    ],
    [feed("{}"), "4: meters.calls.feed.event_type: is missing"],
    [feed("prompt"), "4: meters.calls.feed: must have the fields event_type, value, dimensions"],
    [feed('{ event_type: "" }'), "4: meters.calls.feed.event_type: the name is empty"],
    [
      feed("{ event_type: prompt, values: $.a }"),
      "4: meters.calls.feed.values: there is no such field; did you mean value?",
    ],
    ...["tokens", "$", "$.a[0]", "$..a", "$.*", "$.a.", "$['a']"].map((path) => [
      feed(`{ event_type: prompt, value: "${path}" }`),
      `4: meters.calls.feed.value: must be a path like $.tokens or $.usage.tokens, of names and nothing else of JSONPath, not "${path}"`,
    ]),
    [
      feed("{ event_type: prompt, dimensions: { model: model } }"),
      '4: meters.calls.feed.dimensions.model: must be a path like $.tokens or $.usage.tokens, of names and nothing else of JSONPath, not "model"',
    ],
    [
      feed("{ event_type: prompt, dimensions: {} }"),
      "4: meters.calls.feed.dimensions: names nothing; leave it out",
    ],
    [
      feed(`{ event_type: prompt, dimensions: { ${fields(65)} } }`),
      "4: meters.calls.feed.dimensions: names 65 dimensions; an event has at most 64",
    ],
    [plan(""), "2: plans.pro.prices: is missing"],
    [
      plan(`${euros}\n    first_credits: now`),
      '5: plans.pro.first_credits: must be when_paid or immediately, not "now"',
    ],
    [
      plan(`${euros}\n    first_month: half`),
      '5: plans.pro.first_month: must be whole or by_days, not "half"',
    ],
    [plan("    prices: {}"), "4: plans.pro.prices: names nothing; leave it out"],
    [
      plan("    prices:\n      EUR: 5"),
      "5: plans.pro.prices.EUR: must have the fields monthly, yearly",
    ],
    [plan("    prices:\n      EUR: { monthly: 5 }"), "5: plans.pro.prices.EUR.yearly: is missing"],
    [
      plan("    prices:\n      eur: { monthly: 5, yearly: 6 }"),
      "5: plans.pro.prices.eur: is not a currency of ISO 4217; write it like EUR",
    ],
    [
      plan("    prices:\n      EUR:\n        monthly: 5.001\n        yearly: 6"),
      "6: plans.pro.prices.EUR.monthly: 5.001 has more decimals than the 2 of EUR",
    ],
    [
      plan("    prices:\n      JPY:\n        monthly: 5\n        yearly: -1"),
      "7: plans.pro.prices.JPY.yearly: -1 JPY is below zero",
    ],
    [
      plan(`${euros}\n    life: 0 months`),
      '5: plans.pro.life: must be usual, never or months like 3 months (at most 1200), not "0 months"',
    ],
    [
      plan(`${euros}\n    life: 1201 months`),
      '5: plans.pro.life: must be usual, never or months like 3 months (at most 1200), not "1201 months"',
    ],
    [
      "credit_prices:\n  XYZ: { credits: 1 }",
      "2: credit_prices.XYZ: is not a currency of ISO 4217; write it like EUR",
    ],
    ...[
      "2026-02-30T00:00:00Z",
      "2026-09-01",
      "2026-09-01T00:00:00",
      "soon",
      "+010000-01-01T00:00:00Z",
      "1969-12-31T23:59:59.999Z",
      "0",
    ].map((text) => [
      `add_ons:\n  voice:\n    credits: 1\n    from: ${text}`,
      `4: add_ons.voice.from: must be an instant like 2026-09-01T00:00:00Z, not "${text}"`,
    ]),
    [
      "add_ons:\n  voice:\n    - credits: 1\n    - credits: 2",
      "4: add_ons.voice[1].from: is missing; only the first version in a list may be without",
    ],
    ...["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2025-12-31T00:00:00Z"].map((from) => [
      `add_ons:\n  voice:\n    - { credits: 1, from: 2026-01-01T00:00:00Z }\n    - credits: 2\n      from: ${from}`,
      "5: add_ons.voice[1].from: must be later than that of the version before; list the oldest first",
    ]),
    [
      "add_ons:\n  voice: { credits: 1 }\n  voice: { credits: 2 }",
      "3: add_ons.voice: is stated twice; first in line 2",
    ],
    [
      '{\n  "add_ons": {\n    "voice": {\n      "credits": 1,\n      "credits": 2\n} } }',
      "5: add_ons.voice.credits: is stated twice; first in line 4",
    ],
    [
      "add_ons:\n  a: &a { credits: 1 }\n  b: *a",
      "3: add_ons.b: is an alias; write out what it stands for",
    ],
    [addOn("!!float 1"), /^3: : is not YAML as it can be used here: Unresolved tag/],
    ["? [a]\n: 1", /^1: : is not YAML as it can be used here: .*keys must be strings/],
    ["a: 1\n---\nb: 2", /^2: : is not YAML as it can be used here: .*multiple documents/],
    ["plans:\n  pro: [1, 2\n", /^3: : is not YAML as it can be used here: /],
    ["plans:\n\tpro: 1\n", /^2: : is not YAML as it can be used here: /],
    ['{ "plans": { "pro": { "credits": 1 } }', /^1: : is not YAML as it can be used here: /],
  ])("%j", (text = "", problem = "") => {
    const [first, ...rest] = problemsOf(String(text));
    expect(rest).toEqual([]);
    if (problem instanceof RegExp) expect(first).toMatch(problem);
    else expect(first).toBe(problem);
  });

  test("all mistakes, in the order of their lines", () => {
    expect(
      problemsOf(`add_ons:
  voice: { credit: 1 }
plans:
  pro:
    credits: -1
    lief: never
    prices:
      EUR: { monthly: x, yearly: 1 }
      ABC: {}
  "":
    - 1
`),
    ).toEqual([
      "2: add_ons.voice.credits: is missing",
      "2: add_ons.voice.credit: there is no such field; did you mean credits?",
      "5: plans.pro.credits: -1 credits are below zero",
      "6: plans.pro.lief: there is no such field; did you mean life?",
      '8: plans.pro.prices.EUR.monthly: "x" is not an amount of EUR; write it like 29.00',
      "9: plans.pro.prices.ABC: is not a currency of ISO 4217; write it like EUR",
      "10: plans.: the name is empty",
    ]);
  });

  test("invalid YAML once per line, in a short message", () => {
    const problems = problemsOf(`a: [1, 2\nb: } } }\n${"x".repeat(2000)}: }`);
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(["2", "3"]);
    for (const problem of problems) expect(problem.length).toBeLessThan(200);
  });

  test("a file that is not UTF-8", () => {
    expect(problemsOf(Buffer.from([0x61, 0xff]))).toEqual(["1: : is not UTF-8"]);
    expect(problemsOf(Buffer.from(`\uFEFF${METER}`, "utf16le"))).toEqual(["1: : is not UTF-8"]);
  });
});

describe("a malicious file is refused quickly", () => {
  const MIB = 1 << 20;
  const most = (text: string) => text.repeat(Math.floor((MIB - 100) / text.length));
  test.each([
    ["brackets", `plans: ${most("[")}`, "1: : is nested more than 16 levels deep"],
    ["maps in maps", most("{a: "), "1: : is nested more than 16 levels deep"],
    ["dashes", most("- "), "1: : is nested more than 16 levels deep"],
    ["question marks", most("? "), "1: : is nested more than 16 levels deep"],
    ["colons", most(": "), "1: : is nested more than 16 levels deep"],
    [
      "indentation",
      Array.from({ length: 1000 }, (_, at) => `${" ".repeat(at)}a:\n`).join(""),
      "17: : is nested more than 16 levels deep",
    ],
    ["commas", `[${most(",")}`, "1: : has more than 500,000 words and signs; split it"],
    ["anchors", most("&a "), "1: : has more than 500,000 words and signs; split it"],
    ["bytes", METER.padEnd(MIB + 1, "#"), "1: : has more than 1048576 bytes; split it"],
    [
      "items",
      `add_ons:\n${Array.from({ length: 10_001 }, (_, at) => `  a${at}: { credits: 1 }\n`).join("")}`,
      "1: : has more than 10000 items; split it",
    ],
    [
      "versions",
      `add_ons:\n  a:\n${"    - { credits: 1 }\n".repeat(10_001)}`,
      "1: : has more than 10000 items; split it",
    ],
  ])("%s", (_, text, problem) => {
    const took = cpuTimeOf(() => expect(problemsOf(text)).toEqual([problem]));
    expect(took).toBeLessThan(5000);
  });

  test("aliases of aliases", () => {
    const names = "abcdefghij".split("");
    const lines = names.map((name, at) => {
      const before = names[at - 1];
      return `${name}: &${name} [${before === undefined ? "x" : `*${before}, `.repeat(9)}]`;
    });
    expect(problemsOf(lines.join("\n"))[0]).toBe(
      "2: b[0]: is an alias; write out what it stands for",
    );
  });

  test("but one of the maximum size is read", () => {
    const items = Array.from({ length: 10_000 }, (_, at) => `  a${at}: { credits: 1 }\n`);
    expect(asked(`add_ons:\n${items.join("")}`).addOns.size).toBe(10_000);
  });
});
