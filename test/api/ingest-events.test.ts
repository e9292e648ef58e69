/**
 * - an event becomes usage exactly as stated, or is refused with the field that is wrong
 * - numbers of any size are exact
 * - whatever JSON holds, there is an answer
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../services/api/ingest/json.ts";
import { judgeEvents } from "../../services/api/ingest/judge-events.ts";
import { type IngestRules, toUsage } from "../../services/api/ingest/to-usage.ts";
import { parsePath } from "../../shared/core/offer/feed.ts";
import { toFeedCard } from "../../shared/core/offer/feed-card.ts";

const NOW = Date.UTC(2026, 8, 1, 12);
const DAY_MS = 24 * 60 * 60 * 1000;
const UNFED = rules([]);

const EVENT = `"specversion": "1.0", "id": "e1", "source": "chat", "type": "tokens", "subject": "acme"`;

function judge(text: string, by: IngestRules = UNFED) {
  return toUsage(parseJson(text), by);
}

/** A refusal as "field: detail". */
function refusalOf(text: string, by: IngestRules = UNFED): string {
  const outcome = judge(text, by);
  return outcome.kind === "refused" ? `${outcome.field}: ${outcome.detail}` : "taken";
}

function usageOf(text: string, by: IngestRules = UNFED) {
  const outcome = judge(text, by);
  if (outcome.kind === "refused") throw new Error(`${outcome.field}: ${outcome.detail}`);
  return outcome.usage;
}

test("events without a time are counted, whether it is left out or null", () => {
  const times = ["", `, "time": null`, `, "time": "2026-09-01T12:00:00Z"`];
  const events = times.map((time) => parseJson(`{ ${EVENT}${time}, "data": { "quantity": 1 } }`));
  expect(judgeEvents(events, UNFED)).toMatchObject({ accepted: 3, untimed: 2 });
});

describe("an event of a type that feeds no other meter", () => {
  test("is usage of the meter with its name, with its other scalars as dimensions", () => {
    const data = `{ "quantity": 12, "model": "gpt", "temperature": 0.5, "cached": false, "none": null, "tags": ["a"], "more": { "a": 1 } }`;
    expect(usageOf(`{ ${EVENT}, "time": "2026-09-01T13:30:00+02:00", "data": ${data} }`)).toEqual([
      {
        eventId: "e1",
        accountId: "acme",
        meter: "tokens",
        quantity: 12n,
        occurredAt: NOW - 30 * 60_000,
        source: "chat",
        dimensions: { model: "gpt", temperature: "0.5", cached: "false" },
        quantities: {},
        holdId: null,
      },
    ]);
  });

  test("uses the hold in `hold_id`, which is no dimension", () => {
    const data = (hold: string) => `{ "quantity": 1, "hold_id": ${hold} }`;
    const event = (hold: string) => `{ ${EVENT}, "data": ${data(hold)} }`;
    expect(usageOf(event('"run-1"'))).toMatchObject([{ holdId: "run-1", dimensions: {} }]);
    expect(usageOf(event("null"))).toMatchObject([{ holdId: null, dimensions: {} }]);
  });

  test("has the quantities of further meters in `quantities`, and stays one event", () => {
    const data = `{ "quantity": 12, "quantities": { "output": 5, "cached": "9007199254740993" }, "model": "gpt" }`;
    expect(usageOf(`{ ${EVENT}, "data": ${data} }`)).toMatchObject([
      {
        ...{ eventId: "e1", meter: "tokens", quantity: 12n, dimensions: { model: "gpt" } },
        quantities: { output: 5n, cached: 9007199254740993n },
      },
    ]);
    expect(usageOf(`{ ${EVENT}, "data": { "value": 7, "quantities": null } }`)).toMatchObject([
      { quantity: 7n, quantities: {} },
    ]);
  });

  test.each([
    [`"5"`, "malformed", "data.quantities", "must be an object of meters and quantities, not text"],
    [`{ "output": 1.5 }`, "malformed", "data.quantities.output", "must be a whole number"],
    [`{ "output": -1 }`, "negative_quantity", "data.quantities.output", "quantity of output is -1"],
    [`{ "output": 9223372036854775808 }`, "overflow", "data.quantities.output", "64 bits"],
    [`{ "tokens": 1 }`, "malformed", "data.quantities", "meter tokens is named twice"],
  ])("is refused with further quantities of %s", (quantities, reason, field, detail) => {
    const event = `{ ${EVENT}, "data": { "quantity": 1, "quantities": ${quantities} } }`;
    const outcome = judge(event, UNFED);
    expect(outcome).toMatchObject({ kind: "refused", reason, field });
    expect("detail" in outcome && outcome.detail).toContain(detail);
  });

  test("has dimensions and meters of any name", () => {
    const names = `{ "__proto__": 1, "constructor": 2 }`;
    const data = names.replace("{", `{ "quantity": 3, "quantities": ${names},`);
    const [usage] = usageOf(`{ ${EVENT}, "data": ${data} }`);
    expect(Object.entries(usage?.dimensions ?? {})).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
    expect(Object.entries(usage?.quantities ?? {})).toEqual([
      ["__proto__", 1n],
      ["constructor", 2n],
    ]);
  });

  test("occurred now when it has no time", () => {
    expect(usageOf(`{ ${EVENT}, "data": { "value": 1 } }`)).toMatchObject([{ occurredAt: NOW }]);
    expect(usageOf(`{ ${EVENT}, "time": null, "data": { "value": 1 } }`)).toMatchObject([
      { occurredAt: NOW },
    ]);
  });

  test("has its quantity in `value` where there is no `quantity`; otherwise `value` is a dimension", () => {
    expect(usageOf(`{ ${EVENT}, "data": { "value": 7 } }`)).toMatchObject([
      { quantity: 7n, dimensions: {} },
    ]);
    expect(usageOf(`{ ${EVENT}, "data": { "value": 7, "quantity": 8 } }`)).toMatchObject([
      { quantity: 8n, dimensions: { value: "7" } },
    ]);
  });

  test.each([
    ["0", 0n],
    ["-0", 0n],
    ["1e3", 1000n],
    ["5.0", 5n],
    ["1.50e1", 15n],
    ["0.00e-400", 0n],
    ["70000000000000000000e-19", 7n],
    ["9007199254740991", 9007199254740991n],
    ["9007199254740993", 9007199254740993n],
    ["9223372036854775807", 9223372036854775807n],
    ['"12"', 12n],
    ['"9007199254740993"', 9007199254740993n],
  ])("counts %s exactly", (text, quantity) => {
    expect(usageOf(`{ ${EVENT}, "data": { "quantity": ${text} } }`)).toMatchObject([{ quantity }]);
  });

  test.each([
    "0.99999999999999999999",
    "1e-400",
    "99999999999999999999e-20",
    "1.00000000000000001",
  ])("is refused where a double would round it to a whole number: %s", (text) => {
    const event = `{ ${EVENT}, "data": { "quantity": ${text} } }`;
    expect(() => parseJson(event)).toThrow(`${text} would be rounded to`);
  });

  test("keeps numbers of any size unchanged in dimensions", () => {
    const data = `{ "quantity": 1, "order": 12345678901234567890, "share": 0.1234567890123456 }`;
    expect(usageOf(`{ ${EVENT}, "data": ${data} }`)).toMatchObject([
      { dimensions: { order: "12345678901234567890", share: "0.1234567890123456" } },
    ]);
  });
});

describe("is refused, naming the field:", () => {
  const data = (text: string) => `{ ${EVENT}, "data": ${text} }`;
  const having = (attribute: string) => `{ ${EVENT}, ${attribute}, "data": { "quantity": 1 } }`;
  test.each<[text: string, refusal: string | RegExp]>([
    ["7", ": the event must be a CloudEvents event, not a number"],
    [
      data(`{ "quantity": 1, "hold_id": 7 }`),
      "data.hold_id: data.hold_id must be text, not a number",
    ],
    [data(`{ "quantity": 1, "hold_id": "" }`), "data.hold_id: hold_id is empty"],
    [
      data(`{ "quantity": 1, "hold_id": "a\\u0000" }`),
      "data.hold_id: hold_id holds a NUL character or bytes that are not UTF-8",
    ],
    [
      data(`{ "quantity": 1, "hold_id": "${"h".repeat(257)}" }`),
      "data.hold_id: hold_id has 257 characters; at most 256 are allowed",
    ],
    ["null", ": the event must be a CloudEvents event, not null"],
    ["[]", ": the event must be a CloudEvents event, not a list"],
    ["{}", 'specversion: specversion must be "1.0", not nothing'],
    [having('"specversion": "0.3"'), 'specversion: specversion must be "1.0", not "0.3"'],
    [having('"specversion": 1.0'), 'specversion: specversion must be "1.0", not a number'],
    [`{ "specversion": "1.0" }`, "id: id is missing"],
    [having('"id": 7'), "id: id must be text, not a number"],
    [having('"id": ""'), "id: id is empty"],
    [having(`"id": "${"i".repeat(257)}"`), "id: id has 257 characters; at most 256 are allowed"],
    [having('"id": "a\\u0000"'), "id: id holds a NUL character or bytes that are not UTF-8"],
    [having('"id": "\\ud83d"'), "id: id holds half of a surrogate pair"],
    [having('"source": ""'), "source: source is empty"],
    [having('"source": {}'), "source: source must be text, not an object"],
    [
      having(`"source": "${"s".repeat(1025)}"`),
      "source: source has 1025 characters; at most 1024 are allowed",
    ],
    [having('"type": true'), "type: type must be text, not true or false"],
    [having('"type": "\\u0000"'), "type: type holds a NUL character or bytes that are not UTF-8"],
    [having('"subject": null'), "subject: subject must be text, not null"],
    [
      having('"subject": "\\u0000"'),
      "subject: subject holds a NUL character or bytes that are not UTF-8",
    ],
    ...[
      "2026-02-30T00:00:00Z",
      "2026-09-01",
      "2026-09-01T12:00:00",
      "2026-09-01T25:00:00Z",
      "2026-09-01T12:00:00Z[UTC]",
      "1969-12-31T23:59:59Z",
      "now",
      "",
    ].map((time): [string, string] => [
      having(`"time": "${time}"`),
      `time: time must be an instant like 2026-09-01T12:00:00Z, not "${time}"`,
    ]),
    [
      having('"time": 1788264000'),
      "time: time must be an instant like 2026-09-01T12:00:00Z, not a number",
    ],
    [
      having('"time": "2026-09-01T12:05:01Z"'),
      "time: time is 301 s ahead of the clock; at most 300 s are allowed",
    ],
    [
      having('"time": "2026-07-28T11:59:59Z"'),
      "time: time is 3024001 s behind the clock; at most 3024000 s are allowed",
    ],
    [`{ ${EVENT} }`, "data: data must be a JSON object, not nothing"],
    [`{ ${EVENT}, "data_base64": "e30=" }`, "data: data must be a JSON object, not nothing"],
    [data("[1]"), "data: data must be a JSON object, not a list"],
    [data('"text"'), "data: data must be a JSON object, not text"],
    [data("{}"), "data.quantity: data.quantity is missing"],
    [
      data('{ "quantity": 1.5 }'),
      "data.quantity: data.quantity must be a whole number, not 1.5; measure in the meter's smallest unit",
    ],
    [data('{ "value": null }'), "data.value: data.value must be a whole number, not null"],
    [
      data('{ "quantity": [1] }'),
      "data.quantity: data.quantity must be a whole number, not a list",
    ],
    [
      data('{ "quantity": 1e400 }'),
      "data.quantity: data.quantity must be a whole number, not Infinity; measure in the meter's smallest unit",
    ],
    [
      data('{ "quantity": 1e20 }'),
      "data.quantity: data.quantity must be a whole number, not 100000000000000000000; write out all its digits",
    ],
    ...['"1.0"', '"1e3"', '" 1"', '""', '"0x10"', '"one"'].map((text): [string, string] => [
      data(`{ "quantity": ${text} }`),
      "data.quantity: data.quantity must be a whole number like 1200, also when it is text",
    ]),
    [data('{ "quantity": -1 }'), "data.quantity: quantity is -1"],
    [
      data('{ "quantity": 9223372036854775808 }'),
      "data.quantity: quantity 9223372036854775808 does not fit into 64 bits",
    ],
    [
      data(`{ "quantity": "${"9".repeat(41)}" }`),
      /^data.quantity: data.quantity must be a whole number/,
    ],
    [
      data('{ "quantity": 1, "a": "\\u0000" }'),
      "data: a dimension holds a NUL character or half of a surrogate pair",
    ],
    [
      data(`{ "quantity": 1, "a": "${"a".repeat(1025)}" }`),
      "data: a dimension has more than 1024 characters",
    ],
    [
      data(`{ "quantity": 1, ${Array.from({ length: 65 }, (_, at) => `"d${at}": 1`).join(", ")} }`),
      "data: more than 64 dimensions",
    ],
  ])("%s", (text, refusal) => {
    if (refusal instanceof RegExp) expect(refusalOf(text)).toMatch(refusal);
    else expect(refusalOf(text)).toBe(refusal);
  });
});

describe("an event of a type that feeds meters", () => {
  const fed = rules([
    { meter: "llm.output", value: "$.tokens.output", dimensions: { model: "$.model" } },
    { meter: "prompts", value: null, dimensions: {} },
  ]);
  const prompt = (data: string) => `{ ${EVENT.replace("tokens", "prompt")}, "data": ${data} }`;

  test("becomes usage of each, with its own id", () => {
    const usage = usageOf(
      prompt(`{ "tokens": { "output": "40" }, "model": "gpt", "quantity": 3 }`),
      fed,
    );
    expect(usage).toMatchObject([
      {
        eventId: "e1/llm.output",
        meter: "llm.output",
        quantity: 40n,
        dimensions: { model: "gpt" },
      },
      { eventId: "e1/prompts", meter: "prompts", quantity: 1n, dimensions: {} },
    ]);
  });

  test("may lack a dimension, and have unknown fields", () => {
    const usage = usageOf(prompt(`{ "tokens": { "output": 1, "__proto__": "x" } }`), fed);
    expect(usage.map(({ dimensions }) => dimensions)).toEqual([{}, {}]);
  });

  test.each([
    ["{}", "data.tokens.output: data.tokens.output is missing; it feeds meter llm.output"],
    [
      `{ "tokens": 5 }`,
      "data.tokens.output: data.tokens.output is missing; it feeds meter llm.output",
    ],
    [
      `{ "tokens": { "output": 0.5 } }`,
      "data.tokens.output: data.tokens.output must be a whole number, not 0.5; measure in the meter's smallest unit; it feeds meter llm.output",
    ],
    [`{ "tokens": { "output": -1 } }`, "data.tokens.output: quantity is -1"],
    [
      `{ "tokens": { "output": 1 }, "model": ["gpt"] }`,
      "data.model: data.model must be text, a number, true or false, not a list; it is dimension model of meter llm.output",
    ],
  ])("is refused as a whole: %s", (data, refusal) => {
    expect(refusalOf(prompt(data), fed)).toBe(refusal);
  });

  test("does not read inherited properties", () => {
    const byConstructor = rules([{ meter: "m", value: "$.constructor.name", dimensions: {} }]);
    expect(refusalOf(prompt("{}"), byConstructor)).toBe(
      "data.constructor.name: data.constructor.name is missing; it feeds meter m",
    );
  });

  test("must have an id that leaves room for the meter", () => {
    const long = prompt(`{ "tokens": { "output": 1 } }`).replace("e1", "e".repeat(250));
    expect(refusalOf(long, fed)).toBe(
      "id: id with /llm.output has 261 characters; at most 256 are allowed",
    );
  });

  test("that occurred before the feed is usage of the meter with its name", () => {
    const before = `"time": "2026-08-31T23:59:59Z"`;
    const text = prompt(`{ "quantity": 3 }`).replace("{", `{ ${before}, `);
    expect(usageOf(text, fed)).toMatchObject([{ eventId: "e1", meter: "prompt", quantity: 3n }]);
  });
});

test("whatever JSON holds, there is an answer", () => {
  fc.assert(
    fc.property(fc.json(), fc.json(), (whole, data) => {
      expect(["taken", "refused"]).toContain(judge(whole).kind);
      expect(["taken", "refused"]).toContain(judge(`{ ${EVENT}, "data": ${data} }`).kind);
    }),
    { numRuns: 2000 },
  );
});

interface FedMeter {
  readonly meter: string;
  readonly value: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Meters fed by events of type `prompt` from 1 September on. */
function rules(meters: readonly FedMeter[]): IngestRules {
  const rates = meters.map(({ meter, value, dimensions }) => ({
    meter,
    validFrom: Date.UTC(2026, 8, 1),
    credits: 1n,
    per: 1n,
    feed: {
      eventType: "prompt",
      value: value === null ? null : parsePath(value),
      dimensions: new Map(
        Object.entries(dimensions).map(([name, path]) => [name, parsePath(path) ?? []]),
      ),
    },
  }));
  return {
    feeds: toFeedCard(rates),
    window: { maxAheadMs: 5 * 60_000, maxBehindMs: 35 * DAY_MS },
    now: NOW,
  };
}
