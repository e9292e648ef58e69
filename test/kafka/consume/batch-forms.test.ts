/**
 * Both forms of a fetch have the same messages. They go through KafkaJS's own batch, so that a version of
 * it that filters in another way fails here.
 */
import { createRequire } from "node:module";
import fc from "fast-check";
import type { EachBatchPayload } from "kafkajs";
import { describe, expect, test } from "vitest";
import {
  type BatchForm,
  MESSAGES,
  type MessageBatch,
  type OffsetStretch,
  RECORDS,
  type RecordsBatch,
} from "../../../shared/kafka/consume/batch-forms.ts";
import { fetchDecoder } from "../../../shared/kafka/records/fetch-response.ts";
import { refusalOf } from "../../../shared/kafka/records/refused-batch.ts";
import {
  type AbortedFields,
  type BatchFields,
  fetchResponse,
  recordBatch,
} from "../../support/kafka/record-batch.ts";

type Fetched = EachBatchPayload["batch"];

const Batch: new (topic: string, fetchedOffset: string, partition: unknown) => Fetched =
  createRequire(import.meta.url)("kafkajs/src/consumer/batch");

const LIMITS = {
  batchBytes: 10_000,
  batchRecords: 6,
  responseBytes: 1 << 20,
  responseRecords: 1 << 20,
};
const ABORT = "\0\0\0\0";
const COMMIT = "\0\0\0\x01";

/** What a producer sent, and what its broker made of it. */
const someBatch = fc.record({
  kind: fc.constantFrom("plain", "plain", "ours", "theirs", "abort", "commit", "refused"),
  values: fc.array(fc.option(fc.string({ maxLength: 3 }), { freq: 5 }), { maxLength: 8 }),
  hasHeaders: fc.boolean(),
  gap: fc.nat(3),
  compacted: fc.nat(2),
});

test("records have the messages of the other form, in batches with the same offsets", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(someBatch, { minLength: 1, maxLength: 8 }),
      fc.nat(40),
      fc.integer({ min: 1, max: 7 }),
      fc.subarray(["5", "6"]),
      async (batches, fetchedFrom, size, aborted) => {
        const { log, end } = logOf(batches);
        const response = { log, aborted: aborted.map((id) => ({ producerId: BigInt(id) })) };
        const from = BigInt(fetchedFrom) < end ? BigInt(fetchedFrom) : end - 1n;
        const plain = await split(MESSAGES, response, from, size);
        const raw = await split(RECORDS, response, from, size);
        const seen = raw.map(asMessages);
        // KafkaJS does not hand on what has no message; records may find that out later.
        if (plain.length === 0) expect(seen.flatMap(({ messages }) => messages)).toEqual([]);
        else expect(seen).toEqual(plain);
        expect(raw.at(-1)?.nextOffset ?? end).toBe(end);
      },
    ),
    { numRuns: 300 },
  );
});

test("both forms keep the same offsets of a batch", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(someBatch, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(3),
      async (batches, step, first) => {
        const isKept = (offset: number) => offset % step === first;
        const response = { log: logOf(batches).log, aborted: [] };
        const plain = await split(MESSAGES, response, 0n, 100);
        if (plain.length === 0) return;
        const raw = await split(RECORDS, response, 0n, 100);
        expect(raw.map((batch) => asMessages(RECORDS.only(batch, isKept)))).toEqual(
          plain.map((batch) => MESSAGES.only(batch, isKept)),
        );
      },
    ),
    { numRuns: 100 },
  );
});

/** The same batch in the other form. */
function asMessages({ slices, count, ...stretch }: RecordsBatch): MessageBatch {
  const messages = slices.flatMap(({ records, from, to }) =>
    Array.from({ length: to - from }, (_, i) => records.message(from + i)),
  );
  expect(messages).toHaveLength(count);
  return { ...stretch, messages };
}

test("the value of a record lies where the records say", async () => {
  const texts = ["one", null, ""];
  const headers = [["name", "text"]] as const;
  const log = recordBatch({
    records: [...texts.map((value) => ({ value })), ...texts.map((value) => ({ value, headers }))],
  });
  const [batch] = await split(RECORDS, { log, aborted: [] }, 0n, 100);
  const records = batch?.slices[0]?.records;
  const values = [0, 1, 2, 3, 4, 5].map((index) => {
    const at = records?.valueAt[index] ?? -1;
    return at < 0 ? null : records?.bytes.subarray(at, records.valueEnd[index]).toString();
  });
  expect(values).toEqual([...texts, ...texts]);
});

test("a batch that is refused is one record, without a value to parse", async () => {
  const log = recordBatch({ records: [{ value: "a" }, { value: "b" }], count: 3 });
  const [batch] = await split(RECORDS, { log, aborted: [] }, 0n, 100);
  const records = batch?.slices[0]?.records;
  expect([batch?.count, records?.valueAt[0], batch?.nextOffset]).toEqual([1, -1, 2n]);
  expect(refusalOf(records?.message(0).value ?? Buffer.alloc(0))).toMatch(/cannot be read/);
});

describe("a fetch that begins within two transactions", () => {
  const batches = [
    { kind: "ours", values: ["a"] },
    { kind: "theirs", values: ["b"] },
    { kind: "theirs", values: ["c"] },
    { kind: "ours", values: ["d"] },
  ].map((batch) => ({ hasHeaders: false, gap: 0, compacted: 0, ...batch }));

  test.each([
    { form: "messages", of: MESSAGES },
    { form: "records", of: RECORDS },
  ])("hands on nothing of them when both were aborted ($form)", async ({ of }) => {
    const { log } = logOf(batches);
    const aborted = [{ producerId: 5n }, { producerId: 6n, firstOffset: 1n }];
    expect(await split<OffsetStretch>(of, { log, aborted }, 2n, 100)).toEqual([]);
  });
});

test("after an aborted transaction the next one of its producer is handed on", async () => {
  const of = { hasHeaders: false, gap: 0, compacted: 0 };
  const { log } = logOf([
    { ...of, kind: "ours", values: ["a"] },
    { ...of, kind: "abort", values: [] },
    { ...of, kind: "ours", values: ["b"] },
    { ...of, kind: "theirs", values: ["c"] },
  ]);
  const parts = await split(MESSAGES, { log, aborted: [{ producerId: 5n }] }, 0n, 100);
  const values = parts.flatMap(({ messages }) => messages.map(({ value }) => value?.toString()));
  expect(values).toEqual(["b", "c"]);
});

interface Response {
  readonly log: Buffer;
  readonly aborted: readonly (Partial<AbortedFields> & { readonly producerId: bigint })[];
}

/** What a consumer is handed of a fetch from `from` on. */
async function split<B extends OffsetStretch>(
  form: BatchForm<B>,
  { log, aborted }: Response,
  from: bigint,
  size: number,
): Promise<B[]> {
  const decode = fetchDecoder(LIMITS, () => undefined, form.hand);
  const response = fetchResponse(
    "topic",
    [log],
    aborted.map((transaction) => ({ firstOffset: 0n, ...transaction })),
  );
  const { responses } = await decode(response, 11);
  const fetched = new Batch("topic", String(from), responses[0]?.partitions[0]);
  return fetched.messages.length === 0 ? [] : [...form.split(fetched, size)];
}

interface SomeBatch {
  readonly kind: string;
  readonly values: readonly (string | null)[];
  readonly hasHeaders: boolean;
  readonly gap: number;
  readonly compacted: number;
}

function logOf(batches: readonly SomeBatch[]) {
  let firstOffset = 0n;
  const log = batches.map(({ kind, values, hasHeaders, gap, compacted }) => {
    const records = values.map((value, index) => ({
      value,
      offsetDelta: index * (1 + gap),
      headers: hasHeaders ? ([["name", value]] as const) : [],
    }));
    const lastOffsetDelta = Math.max(0, records.length - 1) * (1 + gap) + compacted;
    const fields: BatchFields = { records, firstOffset, lastOffsetDelta, ...OF_KIND[kind] };
    firstOffset += BigInt(lastOffsetDelta) + 1n;
    return recordBatch(fields);
  });
  return { log: Buffer.concat(log), end: firstOffset };
}

const OF_KIND: Record<string, Partial<BatchFields>> = {
  ours: { attributes: 0x10, producerId: 5n },
  theirs: { attributes: 0x10, producerId: 6n },
  abort: { attributes: 0x30, producerId: 5n, records: [{ key: ABORT, value: "" }] },
  commit: { attributes: 0x30, producerId: 6n, records: [{ key: COMMIT, value: "" }] },
  refused: { count: 9 },
};
