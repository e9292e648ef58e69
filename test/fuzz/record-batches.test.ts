/**
 * Whatever lies in a batch, and whatever its header states, a fetch is read soon: each batch gives messages
 * in order, or is refused as a whole, and those around it are read.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MalformedBytes } from "../../shared/kafka/records/byte-reader.ts";
import { fetchDecoder, type RefusedBatch } from "../../shared/kafka/records/fetch-response.ts";
import {
  eachMessage,
  type HandMessages,
  recordsOf,
  wholeBatch,
} from "../../shared/kafka/records/handed-messages.ts";
import { HeaderFinder } from "../../shared/kafka/records/header-finder.ts";
import type { ReadLimits } from "../../shared/kafka/records/read-batch.ts";
import type { FetchedMessage } from "../../shared/kafka/records/record-batch.ts";
import type { RecordTable } from "../../shared/kafka/records/record-table.ts";
import { refusalOf } from "../../shared/kafka/records/refused-batch.ts";
import { CODEC_NUMBER, PACK } from "../support/kafka/pack.ts";
import { type BatchFields, fetchResponse, recordBatch } from "../support/kafka/record-batch.ts";
import { fuzzing } from "./budget.ts";
import { soon } from "./in-time.ts";
import { mutantsOf } from "./mutants.ts";

const LIMITS: ReadLimits = {
  ...{ batchBytes: 20_000, batchRecords: 200 },
  ...{ responseBytes: 1 << 20, responseRecords: 10_000 },
};
const LENGTH_AT = 8;
/** Behind the version of the format. */
const HEADER_FROM = 17;
const HEADER = 61;

const WAYS = Object.keys(PACK) as (keyof typeof PACK)[];
const NAME = "trace";
const text = fc.option(fc.string({ maxLength: 30 }));
const records = fc.array(
  fc.record({
    key: text,
    value: text,
    headers: fc.array(fc.tuple(fc.oneof(fc.constant(NAME), fc.string({ maxLength: 5 })), text), {
      maxLength: 3,
    }),
  }),
  { minLength: 1, maxLength: 6 },
);
const fields: fc.Arbitrary<BatchFields> = fc
  .tuple(records, fc.option(fc.constantFrom(...WAYS)))
  .map(([of, way]) => ({
    ...{ records: of, firstOffset: 1n },
    ...(way === null ? {} : { attributes: CODEC_NUMBER[way], pack: PACK[way] }),
  }));

/** Its frame stays whole, as brokers see to. */
const hostileBatch = fields.chain((of) => {
  const valid = recordBatch(of);
  const body = mutantsOf(fc.constant(valid.subarray(HEADER)));
  const header = mutantsOf(fc.constant(valid.subarray(HEADER_FROM, HEADER))).map((bytes) =>
    Buffer.concat([bytes, valid.subarray(HEADER_FROM + bytes.length)]).subarray(
      0,
      HEADER - HEADER_FROM,
    ),
  );
  return fc.oneof(
    body.map((bytes) => framed(valid.subarray(0, HEADER), bytes)),
    header.map((bytes) =>
      framed(Buffer.concat([valid.subarray(0, HEADER_FROM), bytes]), valid.subarray(HEADER)),
    ),
  );
});

test("a batch whose bytes or header are changed is read or refused, and those around it are read", async () => {
  await fc.assert(
    fc.asyncProperty(hostileBatch, async (batch) => {
      const last = batch.readInt32BE(23);
      const before = recordBatch({ records: [{ value: "before" }] });
      const behind = recordBatch({ firstOffset: 100n, records: [{ value: "behind" }] });
      const { messages, refused } = await read(Buffer.concat([before, batch, behind]));
      expect(messages.at(0)?.value?.toString()).toBe("before");
      expect(messages.at(-1)?.value?.toString()).toBe("behind");
      const middle = messages.slice(1, -1);
      expect(middle.at(-1)?.offset).toBe(String(1 + Math.max(0, last)));
      expectInOrder(middle);
      if (refused.length === 0) expectSmall(middle);
      else expectRefused(middle, refused);
    }),
    fuzzing(),
  );
});

test("records in place are those of the messages, whatever bytes there are, with the same headers", async () => {
  const finder = new HeaderFinder(NAME);
  await fc.assert(
    fc.asyncProperty(hostileBatch, async (log) => {
      const [messages, whole] = [await readAs(eachMessage, log), await readAs(wholeBatch, log)];
      expect(whole.refused).toEqual(messages.refused);
      // Either way a message without content moves KafkaJS on where there is nothing else to hand on.
      const isThere = ({ isControlRecord }: FetchedMessage) => !isControlRecord;
      const tables = whole.messages.filter(isThere).map(recordsOf);
      const inPlace = tables.flatMap((table) => placesOf(table, finder));
      expect(inPlace).toEqual(messages.messages.filter(isThere).map(partsOf));
    }),
    fuzzing(),
  );
});

test("a response that is no response is malformed", async () => {
  const log = fields.map(recordBatch);
  const response = log.map((bytes) => fetchResponse("topic", [bytes, bytes]));
  await fc.assert(
    fc.asyncProperty(
      mutantsOf(response),
      fc.integer({ min: 4, max: 11 }),
      async (bytes, version) => {
        const decode = fetchDecoder(LIMITS, () => undefined);
        await soon(() => decode(bytes, version)).catch((error: unknown) =>
          expect(error).toBeInstanceOf(MalformedBytes),
        );
      },
    ),
    fuzzing(),
  );
});

/** What the columns are filled from: the offset, the value and one header of each record. */
function placesOf(table: RecordTable, finder: HeaderFinder) {
  const { bytes, offsets, valueAt, valueEnd, count } = table;
  return Array.from({ length: count }, (_, index) => {
    const at = valueAt[index] ?? -1;
    const value = at < 0 ? table.message(index).value : bytes.subarray(at, valueEnd[index]);
    const header = finder.find(table, index) ? bytes.subarray(finder.from, finder.end) : null;
    return { offset: String(offsets[index]), value, header };
  });
}

function partsOf({ offset, value, headers }: FetchedMessage) {
  const header = headers[NAME];
  return { offset, value, header: Buffer.isBuffer(header) ? header : null };
}

function read(log: Buffer) {
  return readAs(eachMessage, log);
}

async function readAs(hand: HandMessages, log: Buffer) {
  const refused: RefusedBatch[] = [];
  const decode = fetchDecoder(LIMITS, (batch) => refused.push(batch), hand);
  const { responses } = await soon(() => decode(fetchResponse("topic", [log]), 11));
  return { messages: responses[0]?.partitions[0]?.messages ?? [], refused };
}

function framed(header: Buffer, body: Buffer): Buffer {
  const batch = Buffer.concat([header, body]);
  batch.writeInt32BE(batch.length - LENGTH_AT - 4, LENGTH_AT);
  return batch;
}

function expectInOrder(messages: readonly FetchedMessage[]): void {
  const offsets = messages.map(({ offset }) => Number(offset));
  expect(offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? 0))).toBe(
    true,
  );
}

function expectSmall(messages: readonly FetchedMessage[]): void {
  const bytes = messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  expect(bytes).toBeLessThanOrEqual(LIMITS.batchBytes);
}

function expectRefused(
  messages: readonly FetchedMessage[],
  refused: readonly RefusedBatch[],
): void {
  expect(messages).toHaveLength(1);
  const value = messages[0]?.value ?? Buffer.alloc(0);
  expect(refused).toEqual([{ topic: "topic", partition: 0, refusal: refusalOf(value) }]);
  expect(refused[0]?.refusal).toMatch(/cannot be read: \w.*; publish them again/s);
}
