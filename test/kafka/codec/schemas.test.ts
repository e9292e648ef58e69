/**
 * - every record of every topic is read back unchanged, also at the limits of its types
 * - a long is exact: no amount is ever rounded to a floating-point number
 * - a record that does not match its schema is refused, never written as something else
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { openEncoder } from "../../../shared/kafka/codec/encoder.ts";
import { HEADER_BYTES, SCHEMAS, type TopicSchema } from "../../../shared/kafka/codec/schemas.ts";
import { writerType } from "../../../shared/kafka/codec/writer-schema.ts";
import { RegistryInProcess } from "./registry-in-process.ts";

const long = fc.oneof(
  fc.bigInt({ min: -MAX_BIGINT - 1n, max: MAX_BIGINT }),
  fc.constantFrom(0n, -1n, MAX_BIGINT, -MAX_BIGINT - 1n, 2n ** 53n, 2n ** 53n + 1n),
);
// Beyond 2^52, the year 144683, avsc reads instants before 1970 wrongly.
const instant = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "ß客\u{1F600}"),
);
// A name of Object.prototype is no own property to begin with, see the decoder's tests.
const byName = <T>(value: fc.Arbitrary<T>) =>
  fc
    .dictionary(text, value, { noNullPrototype: true })
    .filter((pairs) => !Object.hasOwn(pairs, "__proto__"));

const budgets = fc.record({
  dimension: text,
  window: text,
  ends_at: fc.option(instant),
  next_ends_at: fc.option(instant),
  credits: fc.option(long),
  values: fc.option(
    fc.array(
      fc.record({ value: text, credits: long, spent: long, spent_ahead: long, held: long }),
      { maxLength: 3 },
    ),
  ),
});

const RECORDS: Readonly<Record<keyof typeof SCHEMAS, fc.Arbitrary<Record<string, unknown>>>> = {
  usageEvents: fc.record({
    event_id: text,
    account_id: text,
    meter: text,
    quantity: long,
    occurred_at: instant,
    source: text,
    dimensions: byName(text),
    quantities: byName(long),
    hold_id: fc.option(text),
  }),
  deadLetters: fc.record({
    topic: text,
    partition: fc.integer(),
    offset: long,
    account_id: fc.option(text),
    reason: text,
    detail: text,
    payload: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    recorded_at: instant,
    payload_size: fc.option(fc.nat()),
    payload_sha256: fc.option(text),
  }),
  lowBalance: fc.record({
    account_id: text,
    crossing: long,
    balance: long,
    threshold: long,
    cause: text,
    occurred_at: instant,
    needed: fc.boolean(),
  }),
  credits: fc.record({
    account_id: text,
    sequence: long,
    kind: text,
    credits: long,
    balance: long,
    lot_id: fc.option(text),
    reference: text,
    posted_at: instant,
    due_at: fc.option(instant),
  }),
  topUps: fc.record({
    account_id: text,
    top_up_id: text,
    status: text,
    amount: long,
    currency: text,
    credits: long,
    reason: text,
    changed_at: instant,
  }),
  payments: fc.record({
    account_id: text,
    payment_id: text,
    refund_id: fc.option(text),
    kind: text,
    status: text,
    amount: long,
    currency: text,
    attempt: fc.nat(),
    plan_id: fc.option(text),
    requested_by: fc.option(text),
    reason: text,
    changed_at: instant,
  }),
  holds: fc.record({
    account_id: text,
    sequence: long,
    hold_id: text,
    status: text,
    asked: long,
    credits: long,
    used: long,
    captured: fc.option(long),
    held: long,
    requested_by: text,
    expires_at: instant,
    ended_at: fc.option(instant),
    changed_at: instant,
  }),
  creditsExpiring: fc.record({
    account_id: text,
    sequence: long,
    lot_id: text,
    credits: long,
    expires_at: instant,
    noticed_at: instant,
  }),
  alerts: fc.record({
    account_id: text,
    sequence: long,
    kind: text,
    subject: text,
    window: text,
    level: fc.integer(),
    used: fc.option(long),
    limit: fc.option(long),
    currency: fc.option(text),
    cause: text,
    reason: text,
    occurred_at: instant,
    raised_at: instant,
  }),
  balances: fc.record({
    account_id: text,
    version: long,
    granted: long,
    position: long,
    balance: long,
    changed_at: instant,
    held: long,
    overdraft: fc.option(long),
    budgets: fc.option(fc.array(budgets, { maxLength: 3 })),
  }),
  balancesComplete: fc.record({ until: instant }),
};

describe.each(
  Object.entries(RECORDS) as [keyof typeof SCHEMAS, fc.Arbitrary<Record<string, unknown>>][],
)("a record of %s", (name, record) => {
  test("is read back unchanged", async () => {
    const schema = SCHEMAS[name];
    const encode = await openEncoder(new RegistryInProcess(), schema);
    fc.assert(
      fc.property(record, (written) => {
        const bytes = encode(written);
        expect(readAll(schema, bytes)).toEqual(written);
      }),
    );
  });

  test("without one of its fields that has no default is refused", async () => {
    const schema = SCHEMAS[name];
    const encode = await openEncoder(new RegistryInProcess(), schema);
    const [whole] = fc.sample(record, 1);
    const { fields } = JSON.parse(schema.text) as { fields: { name: string; default?: unknown }[] };
    for (const field of fields.filter((one) => one.default === undefined)) {
      expect(() => encode({ ...whole, [field.name]: undefined }), field.name).toThrow("invalid");
    }
  });

  test("travels under the subject of its topic", () => {
    const { topic, subject, text } = SCHEMAS[name];
    expect(subject).toBe(`${topic}-value`);
    expect(JSON.parse(text)).toMatchObject({ type: "record", namespace: "drawdown" });
  });
});

const NEWER = new Set(["overdraft", "budgets"]);

test("of a balance of before there were its limits, nothing is known of them, and its overdraft is 0", () => {
  const { type, text: newest } = SCHEMAS.balances;
  const { fields, ...record } = JSON.parse(newest) as { fields: { name: string }[] };
  const before = fields.filter(({ name }) => !NEWER.has(name));
  const writer = writerType(JSON.stringify({ ...record, fields: before }));
  const [{ overdraft: _, budgets: __, ...balance } = {}] = fc.sample(RECORDS.balances, 1);
  const read = type.fromBuffer(writer.toBuffer(balance), type.createResolver(writer));
  expect(read).toEqual({ ...balance, overdraft: 0n, budgets: null });
});

describe("a value", () => {
  test("starts with a zero byte and the schema's id, big-endian", async () => {
    const registry = new RegistryInProcess();
    for (let i = 0; i < 258; i += 1) registry.add(`filler ${i}`);
    const encode = await openEncoder(registry, SCHEMAS.lowBalance);
    expect(encode(someLow({})).subarray(0, HEADER_BYTES)).toEqual(Buffer.from([0, 0, 0, 1, 3]));
  });

  test("may be larger than any before it, and smaller ones may follow", async () => {
    const encode = await openEncoder(new RegistryInProcess(), SCHEMAS.lowBalance);
    for (const length of [1, 250, 251, 252, 100_000, 300, 0, 1_000_000, 5]) {
      const record = someLow({ cause: "客".repeat(length) });
      expect(readAll(SCHEMAS.lowBalance, encode(record))).toEqual(record);
    }
  });

  test("takes no more memory than a few times its own bytes", async () => {
    const encode = await openEncoder(new RegistryInProcess(), SCHEMAS.lowBalance);
    encode(someLow({ cause: "x".repeat(1_000_000) }));
    expect(encode(someLow({})).buffer.byteLength).toBeLessThan(100_000);
  });

  test("is not overwritten by those encoded after it", async () => {
    const encode = await openEncoder(new RegistryInProcess(), SCHEMAS.lowBalance);
    const first = encode(someLow({ cause: "first" }));
    encode(someLow({ cause: "second" }));
    expect(readAll(SCHEMAS.lowBalance, first)).toMatchObject({ cause: "first" });
  });
});

describe("a long", () => {
  test.each(["9223372036854775807", "-9223372036854775808", "0", "-1"])(
    "may be the decimal string %s, as in JSON",
    async (balance) => {
      const encode = await openEncoder(new RegistryInProcess(), SCHEMAS.lowBalance);
      expect(readAll(SCHEMAS.lowBalance, encode(someLow({ balance })))).toMatchObject({
        balance: BigInt(balance),
      });
    },
  );

  test.each([
    { what: "a number", balance: 5 },
    { what: "a fraction", balance: "1.5" },
    { what: "an empty string", balance: "" },
    { what: "a word", balance: "many" },
    { what: "one more than fits", balance: MAX_BIGINT + 1n },
    { what: "one more than fits, as a string", balance: "9223372036854775808" },
    { what: "null", balance: null },
  ])("may not be $what", async ({ balance }) => {
    const encode = await openEncoder(new RegistryInProcess(), SCHEMAS.lowBalance);
    expect(() => encode(someLow({ balance }))).toThrow(/invalid|out of range/);
  });
});

describe("an instant", () => {
  test.each([
    { what: "a fraction of a millisecond", occurred_at: 1.5 },
    { what: "no number", occurred_at: Number.NaN },
    { what: "a Date", occurred_at: new Date(5) },
  ])("may not be $what", async ({ occurred_at }) => {
    const encode = await openEncoder(new RegistryInProcess(), SCHEMAS.lowBalance);
    expect(() => encode(someLow({ occurred_at }))).toThrow("invalid");
  });
});

function someLow(given: Record<string, unknown>): Record<string, unknown> {
  return {
    account_id: "acme",
    crossing: 1n,
    balance: -5n,
    threshold: 0n,
    cause: "event:e1",
    occurred_at: 1_763_812_800_000,
    needed: true,
    ...given,
  };
}

/** Reads a value to its very end, maps as plain objects. */
function readAll(schema: TopicSchema, bytes: Buffer): Record<string, unknown> {
  const read = schema.type.decode(bytes, HEADER_BYTES);
  expect(read.offset).toBe(bytes.length);
  return { ...read.value };
}
