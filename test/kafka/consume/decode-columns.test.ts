/** Whatever comes, the columns have the events and the dead letters that message by message would give. */
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  eventAt,
  eventIdAt,
  firstLines,
  holdIdAt,
} from "../../../shared/core/usage/usage-columns.ts";
import { DEFAULT_WINDOW } from "../../../shared/core/usage/usage-event.ts";
import { SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import { keepNames } from "../../../shared/kafka/codec/usage-names.ts";
import type { MessageBatch, RecordsBatch } from "../../../shared/kafka/consume/batch-forms.ts";
import { decodeColumns, valueOfEachSchema } from "../../../shared/kafka/consume/decode-columns.ts";
import { decodeMessages } from "../../../shared/kafka/consume/decode-messages.ts";
import { READ_LIMITS, readBatch } from "../../../shared/kafka/records/read-batch.ts";
import { recordBatches } from "../../../shared/kafka/records/record-batch.ts";
import type { UsageRun } from "../../../shared/ledger/usage/batch.ts";
import { fuzzing } from "../../fuzz/budget.ts";
import { type RecordFields, recordBatch } from "../../support/kafka/record-batch.ts";
import {
  long,
  type UsageFields,
  usageBytes,
  withSchemaId,
} from "../../support/kafka/usage-bytes.ts";
import { RegistryInProcess } from "../codec/registry-in-process.ts";

const NOW = 1_763_812_800_000;
const UUID = "0192f0c1-3b5a-7c3e-9d2f-0123456789ab";
const registry = new RegistryInProcess();
const ours = registry.add(SCHEMAS.usageEvents.text);
const other = registry.add({
  ...JSON.parse(SCHEMAS.usageEvents.text),
  fields: [
    ...JSON.parse(SCHEMAS.usageEvents.text).fields,
    { name: "more", type: "string", default: "" },
  ],
});
const withoutLast = (count: number) =>
  registry.add({
    ...JSON.parse(SCHEMAS.usageEvents.text),
    fields: JSON.parse(SCHEMAS.usageEvents.text).fields.slice(0, -count),
  });
const beforeHolds = withoutLast(1);
const older = withoutLast(2);
const decoder = openUsageDecoder(registry);
const names = keepNames();

beforeAll(() =>
  decoder.learn([ours, other, beforeHolds, older].map((id) => withSchemaId(id, Buffer.alloc(0)))),
);

const NOT_UTF8 = Buffer.from([0x61, 0xff]);
const text = fc.constantFrom<string | Buffer>(
  "",
  "acme",
  "bolt",
  "ünïcode",
  "a\0",
  "x".repeat(300),
  "\ud800",
  NOT_UTF8,
);
const usual = fc.constantFrom("acme", "bolt", "calls", "tokens");
const mostly = <T>(value: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: value, weight: 12 }, { arbitrary: seldom, weight: 1 });
const uuid = fc.uuid();
const fields: fc.Arbitrary<UsageFields> = fc.record({
  eventId: mostly<string | Buffer>(
    fc.oneof(uuid, uuid, uuid, usual),
    fc.oneof(
      text,
      fc.constantFrom(
        UUID.toUpperCase(),
        UUID.replaceAll("-", "a"),
        `${UUID}0`,
        UUID.replace("f", "g"),
      ),
    ),
  ),
  accountId: mostly<string | Buffer>(usual, text),
  meter: mostly<string | Buffer>(usual, text),
  quantity: mostly(
    fc.bigInt(0n, 300n),
    fc.constantFrom(
      -1n,
      2n ** 31n,
      2n ** 52n - 1n,
      2n ** 52n,
      2n ** 53n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ),
  ),
  occurredAt: mostly(
    fc.integer({ min: NOW - 1000, max: NOW }),
    fc.constantFrom(
      0,
      NOW + DEFAULT_WINDOW.maxAheadMs,
      NOW + DEFAULT_WINDOW.maxAheadMs + 1,
      NOW - DEFAULT_WINDOW.maxBehindMs,
      NOW - DEFAULT_WINDOW.maxBehindMs - 1,
    ),
  ),
  source: mostly<string | Buffer>(
    fc.constantFrom("", "gateway"),
    fc.oneof(text, fc.constant("y".repeat(1_025))),
  ),
  dimensions: mostly(
    fc.constantFrom<UsageFields["dimensions"]>([], [["region", "eu"]]),
    fc.oneof(
      fc.array(fc.tuple(text, text), { maxLength: 3 }),
      fc.constant(Array.from({ length: 65 }, (_, i) => [`k${i}`, "v"] as const)),
      fc.constantFrom<UsageFields["dimensions"]>(
        [["__proto__", "p"]],
        [["region", NOT_UTF8]],
        [["k", "v".repeat(5_000)]],
      ),
    ),
  ),
  quantities: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.tuple(
          mostly<string | Buffer>(fc.constantFrom("input", "output", "cached", "tokens"), text),
          mostly(fc.bigInt(0n, 300n), fc.constantFrom(-1n, 2n ** 52n, 2n ** 63n - 1n)),
        ),
        { maxLength: 4 },
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 14, maxLength: 16 })
        .map((all) => all.map((each) => [`meter ${each}`, 1n] as const)),
    },
  ),
  holdId: fc.oneof(
    fc.constant(null),
    mostly<string | Buffer>(fc.constantFrom("run-1", "run-2"), text),
  ),
});

/** Bytes changed, cut off or added behind the schema's id, as nobody should write them. */
const change = fc.record({
  at: fc.nat(200),
  to: fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from([0]),
    Buffer.from([0x80]),
    Buffer.alloc(9, 0x80),
    long(-1n),
    long(2n ** 62n),
    long(1n),
  ),
  drop: fc.nat(3),
});

const HEADERS = [
  ["traceparent", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`],
  ["retry-of", "usage.events/0/7"],
  ["__value_schema_id", "x"],
  ["", null],
] as const;

const record: fc.Arbitrary<RecordFields> = fc
  .record({
    fields,
    schema: mostly(
      fc.constant(ours),
      fc.constantFrom(other, beforeHolds, beforeHolds, older, older, 99, -1),
    ),
    changes: mostly(
      fc.constant<(typeof change extends fc.Arbitrary<infer C> ? C : never)[]>([]),
      fc.array(change, { maxLength: 2 }),
    ),
    headers: fc.array(fc.constantFrom(...HEADERS), { maxLength: 3 }),
    whole: mostly(fc.constant("value"), fc.constantFrom("null", "empty", "short")),
    key: fc.option(fc.constant("acme")),
  })
  .map(({ fields: of, schema, changes, headers, whole, key }) => {
    const bytes = usageBytes(fieldsIn(schema, of));
    let value = withSchemaId(
      schema,
      Buffer.concat([bytes, ...(schema === other ? [long(0n)] : [])]),
    );
    for (const { at, to, drop } of changes) {
      const from = Math.min(5 + at, value.length);
      value = Buffer.concat([value.subarray(0, from), to, value.subarray(from + drop)]);
    }
    const values: Record<string, Buffer | null> = {
      value,
      null: null,
      empty: Buffer.alloc(0),
      short: Buffer.from([0, 0]),
    };
    return { key, value: values[whole] ?? null, headers };
  });

function fieldsIn(schema: number, of: UsageFields): UsageFields {
  if (schema === older) return { ...of, quantities: null };
  return schema === beforeHolds ? { ...of, isBeforeHolds: true } : of;
}

test("columns have the events and dead letters of a batch", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(record, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
      async (logs) => {
        const [plain, raw] = await batchesOf(logs);
        const retries = new Set(plain.flatMap(claimsIn));
        const reading = { decoder, now: NOW, window: DEFAULT_WINDOW, retries };
        await decoder.learn(valueOfEachSchema(raw));
        const { columns, runs } = decodeColumns(raw, names(), reading);
        const expected = decodeMessages(plain, reading);
        expect(runs.map(withoutPlaces)).toEqual(expected.runs.map(withoutPlaces));
        for (const [index, run] of runs.entries()) {
          const places = Array.from(firstLines(columns, placesOf(run)));
          const events = places.map((place) => eventAt(columns, place));
          const others = Array.from(placesOf(expected.runs[index] ?? run));
          expect(events).toEqual(others.map((place) => eventAt(expected.columns, place)));
          for (const { offset } of events)
            expect(run.messageAt(offset)).toEqual(expected.runs[index]?.messageAt(offset));
          for (const place of places) {
            const event = eventAt(columns, place);
            expect([columns.partition[place], columns.offset[place]]).toEqual([
              event.partition,
              Number(event.offset),
            ]);
            expect(columns.names.accounts.valueOf(columns.account[place] ?? -1)).toBe(
              event.accountId,
            );
          }
        }
      },
    ),
    fuzzing(0.25),
  );
});

/** Only messages with headers can be found to be retries. */
function claimsIn({ topic, partition, messages }: MessageBatch): string[] {
  const claims = messages.filter(({ headers }) => headers?.["retry-of"] !== undefined);
  return claims.map(({ offset }) => `${topic}/${partition}/${offset}`);
}

/** In columns, an event has a place for each of its lines. */
function withoutPlaces({ messageAt: _, from: _from, to: _to, ...run }: UsageRun) {
  return run;
}

function placesOf({ from, to }: UsageRun): Int32Array {
  return Int32Array.from({ length: to - from }, (_, index) => from + index);
}

test("usual events are not decoded one by one, whatever their ids and headers", async () => {
  const usualFields = {
    accountId: "acme",
    meter: "calls",
    occurredAt: NOW,
    source: "",
    dimensions: [],
  };
  const values = [UUID, "e1", "e2"].map((eventId, i) =>
    withSchemaId(
      ours,
      usageBytes({ ...usualFields, eventId, quantity: 2n ** 52n - 1n + BigInt(i === 2) }),
    ),
  );
  const [, raw] = await batchesOf([
    values.map((value, i) => ({ value, headers: HEADERS.slice(0, 4 * i) })),
  ]);
  const { columns } = decodeColumns(raw, names(), { decoder, now: NOW, window: DEFAULT_WINDOW });
  expect([...columns.plain.keys()]).toEqual([2]);
  expect([...columns.idTexts]).toEqual([[1, "e1"]]);
  expect(Buffer.from(columns.ids.subarray(0, 16)).toString("hex")).toBe(UUID.replaceAll("-", ""));
  expect(columns.account[0]).toBe(columns.account[2]);
});

test("lines of an event have places of their own, by the names of their meters", async () => {
  const quantities = [
    ["output", 3n],
    ["cached", 2n ** 51n],
  ] as const;
  const usualFields = {
    ...{ accountId: "acme", meter: "input", quantity: 1n, occurredAt: NOW, source: "" },
    dimensions: [["region", "eu"]] as const,
  };
  const values = [UUID, "e1"].map((eventId) =>
    withSchemaId(ours, usageBytes({ ...usualFields, eventId, quantities })),
  );
  const [, raw] = await batchesOf([values.map((value) => ({ value }))]);
  const { columns } = decodeColumns(raw, names(), { decoder, now: NOW, window: DEFAULT_WINDOW });
  const lines = Array.from({ length: columns.count }, (_, place) => [
    columns.names.meters.valueOf(columns.meter[place] ?? -1),
    columns.quantity[place],
    columns.goesOn[place],
  ]);
  const ofOne = [
    ["input", 1, 0],
    ["cached", 2 ** 51, 1],
    ["output", 3, 1],
  ];
  expect(lines).toEqual([...ofOne, ...ofOne]);
  expect(columns.plain.size).toBe(0);
  expect([0, 1, 2, 3, 4, 5].map((place) => eventIdAt(columns, place))).toEqual([
    ...[UUID, UUID, UUID],
    ...["e1", "e1", "e1"],
  ]);
});

test("events of the schemas before are not decoded one by one", async () => {
  const event = {
    ...{ eventId: UUID, accountId: "acme", meter: "calls", quantity: 7n, occurredAt: NOW },
    ...{
      source: "",
      dimensions: [["region", "eu"]] as const,
      quantities: [["cached", 2n]] as const,
    },
  };
  const values = [older, beforeHolds].map((schema) =>
    withSchemaId(schema, usageBytes(fieldsIn(schema, event))),
  );
  const [, raw] = await batchesOf([values.map((value) => ({ value }))]);
  const { columns } = decodeColumns(raw, names(), { decoder, now: NOW, window: DEFAULT_WINDOW });
  expect(columns.plain.size).toBe(0);
  const read = { quantity: 7n, dimensions: { region: "eu" }, holdId: null };
  expect(eventAt(columns, 0)).toMatchObject({ ...read, quantities: {} });
  expect(eventAt(columns, 1)).toMatchObject({ ...read, quantities: { cached: 2n } });
});

test("the hold of an event is at each of its lines; one that cannot be a hold is not usual", async () => {
  const event = {
    ...{ eventId: UUID, accountId: "acme", meter: "calls", quantity: 7n, occurredAt: NOW },
    ...{ source: "", dimensions: [], quantities: [["cached", 2n]] as const },
  };
  const holds = ["run-1", null, "", "a\0b", NOT_UTF8, "x".repeat(257)];
  const values = holds.map((holdId) => withSchemaId(ours, usageBytes({ ...event, holdId })));
  const [, raw] = await batchesOf([values.map((value) => ({ value }))]);
  const reading = { decoder, now: NOW, window: DEFAULT_WINDOW };
  const { columns, runs } = decodeColumns(raw, names(), reading);
  expect(columns.count).toBe(4);
  expect([0, 1, 2].map((place) => holdIdAt(columns, place))).toEqual(["run-1", "run-1", null]);
  expect(runs[0]?.deadLetters.map(({ rejection }) => rejection)).toEqual([
    { reason: "malformed", detail: "hold_id is empty" },
    ...Array(2).fill({
      reason: "malformed",
      detail: "hold_id holds a NUL character or bytes that are not UTF-8",
    }),
    { reason: "malformed", detail: "hold_id has 257 characters; at most 256 are allowed" },
  ]);
});

test("sources of other bytes with the same text do not get two numbers", async () => {
  const values = [NOT_UTF8, Buffer.from("a\uFFFD")].map((source) =>
    withSchemaId(
      ours,
      usageBytes({
        ...{ eventId: "e1", accountId: "acme", meter: "calls", quantity: 1n, occurredAt: NOW },
        ...{ source, dimensions: [] },
      }),
    ),
  );
  const [, raw] = await batchesOf([values.map((value) => ({ value }))]);
  const { columns } = decodeColumns(raw, names(), { decoder, now: NOW, window: DEFAULT_WINDOW });
  expect(eventAt(columns, 0).source).toBe(eventAt(columns, 1).source);
  expect([...columns.plain.keys()]).toEqual([0]);
});

async function batchesOf(
  logs: readonly (readonly RecordFields[])[],
): Promise<[MessageBatch[], RecordsBatch[]]> {
  const plain: MessageBatch[] = [];
  const raw: RecordsBatch[] = [];
  for (const [partition, records] of logs.entries()) {
    const [batch] = recordBatches(recordBatch({ records, firstOffset: 1n }));
    if (batch === undefined) throw new Error("no batch");
    const { records: table } = await readBatch(batch, READ_LIMITS);
    const stretch = {
      topic: "usage.events",
      partition,
      fetchedFrom: 1n,
      nextOffset: 20n,
      highWatermark: 20n,
    };
    const count = table.count;
    plain.push({ ...stretch, messages: Array.from({ length: count }, (_, i) => table.message(i)) });
    const middle = count >> 1;
    const slices = [
      { records: table, from: 0, to: middle },
      { records: table, from: middle, to: count },
    ];
    raw.push({ ...stretch, slices, count });
  }
  return [plain, raw];
}
