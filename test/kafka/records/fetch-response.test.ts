import { describe, expect, test } from "vitest";
import { fetchDecoder, type RefusedBatch } from "../../../shared/kafka/records/fetch-response.ts";
import type { ReadLimits } from "../../../shared/kafka/records/read-batch.ts";
import { refusalOf } from "../../../shared/kafka/records/refused-batch.ts";
import { CODEC_NUMBER, PACK } from "../../support/kafka/pack.ts";
import {
  type BatchFields,
  fetchResponse,
  type RecordFields,
  recordBatch,
} from "../../support/kafka/record-batch.ts";
import { long } from "../../support/kafka/usage-bytes.ts";

const LIMITS: ReadLimits = {
  batchBytes: 10_000,
  batchRecords: 100,
  responseBytes: 20_000,
  responseRecords: 250,
};

describe("a batch", () => {
  test("gives its messages with their offsets, times, keys and headers", async () => {
    const { messages } = await read([
      {
        firstOffset: 7n,
        records: [
          { key: "a", value: "one", headers: [["sequence", "1"]] },
          { value: null },
          {
            key: "",
            value: "",
            headers: [
              ["x", "1"],
              ["x", null],
              ["x", "3"],
              ["__proto__", "p"],
            ],
          },
        ],
      },
    ]);
    expect(messages).toMatchObject([
      { offset: "7", timestamp: "1700000000000", key: Buffer.from("a"), value: Buffer.from("one") },
      { offset: "8", timestamp: "1700000000001", key: null, value: null },
      { offset: "9", timestamp: "1700000000002", key: Buffer.from(""), value: Buffer.from("") },
    ]);
    expect(messages[0]?.headers["sequence"]?.toString()).toBe("1");
    expect(Object.entries(messages[2]?.headers ?? {})).toEqual([
      ["x", [Buffer.from("1"), "", Buffer.from("3")]],
      ["__proto__", Buffer.from("p")],
    ]);
  });

  test("whose time is the broker's has one time", async () => {
    const { messages } = await read([{ attributes: 0x08, records: values("a", "b") }]);
    expect(messages.map(({ timestamp }) => timestamp)).toEqual(["1700000000002", "1700000000002"]);
  });

  test.each(Object.keys(PACK) as (keyof typeof PACK)[])("packed with %s is read", async (way) => {
    const { messages } = await read([packed(way, { records: values("a", "b") })]);
    expect(messages.map(({ value }) => value?.toString())).toEqual(["a", "b"]);
  });

  test("of a transaction is known as such, and its control records too", async () => {
    const { messages } = await read([
      { attributes: 0x10, producerId: 5n, records: values("a") },
      { attributes: 0x30, producerId: 5n, firstOffset: 1n, records: [{ value: null }] },
    ]);
    const ofProducer = { batchContext: { producerId: "5", inTransaction: true } };
    expect(messages).toMatchObject([
      { ...ofProducer, isControlRecord: false },
      { ...ofProducer, isControlRecord: true },
    ]);
  });

  test.each([
    { kept: "its first record", records: values("a"), offsets: ["0", "4"] },
    { kept: "nothing", records: [], offsets: ["4"] },
  ])("of which compaction has kept $kept still ends at its last offset", async (example) => {
    const { messages } = await read([{ records: example.records, lastOffsetDelta: 4 }]);
    expect(messages.map(({ offset }) => offset)).toEqual(example.offsets);
    expect(messages.at(-1)?.isControlRecord).toBe(true);
  });

  test("that the fetch has cut off is left for the next one", async () => {
    const whole = recordBatch({ records: values("a") });
    const next = recordBatch({ firstOffset: 1n, records: values("b") });
    for (const length of [1, 16, 17, 60, next.length - 1]) {
      const log = Buffer.concat([whole, next.subarray(0, length)]);
      expect((await readLogs([log])).messages, `${length} bytes of it`).toHaveLength(1);
    }
  });
});

describe("a batch that cannot be read", () => {
  const good = { records: values("before") };
  const behind = (firstOffset: bigint) => ({ firstOffset, records: values("behind") });
  const noise = {
    ...packed("zstd", { records: values("a", "b") }),
    pack: () => Buffer.from("noise"),
  };

  test.each<{ what: string; batch: BatchFields; why: string | RegExp }>([
    {
      what: "unpacks to too much",
      batch: packed("gzip", { records: values("a", "z".repeat(11_000)) }),
      why: "the batch compressed with gzip of 2 messages, offsets 1 to 2, cannot be read: it unpacks to more than 10,000 bytes; publish them again in smaller batches",
    },
    {
      what: "is no zstd",
      batch: noise,
      why: /^the batch compressed with zstd .*; publish them again/,
    },
    {
      what: "states too many messages",
      batch: { records: values("a", "b"), count: 3 },
      why: /missing/,
    },
    {
      what: "states too few",
      batch: { records: values("a", "b"), count: 1 },
      why: /bytes are left/,
    },
    {
      what: "states a billion",
      batch: { records: values("a", "b"), count: 1e9 },
      why: /100 messages are too many/,
    },
    {
      what: "has a record with a wrong length",
      batch: { records: [{ value: "a", lengthError: 1 }, ...values("b")] },
      why: /not as long as/,
    },
    {
      what: "has offsets that go back",
      batch: {
        records: [
          { value: "a", offsetDelta: 1 },
          { value: "b", offsetDelta: 0 },
        ],
      },
      why: /order/,
    },
    {
      what: "has offsets behind its last",
      batch: { records: values("a", "b", "c"), lastOffsetDelta: 1 },
      why: /order/,
    },
    {
      what: "has a hundred headers and one",
      batch: {
        records: [
          { value: "a", headers: Array.from({ length: 101 }, () => ["", null]) },
          ...values("b"),
        ],
      },
      why: /more than 100 headers/,
    },
    {
      what: "has a record with fewer than no headers",
      batch: { records: [{ value: "a", headerCount: -1 }, ...values("b")] },
      why: /fewer than no headers/,
    },
    {
      what: "has a record that states two billion headers",
      batch: { records: [{ value: "a", headerCount: 2 ** 31 - 1 }, ...values("b")] },
      why: /more than 100 headers/,
    },
    {
      what: "has a record that states a header more than it has",
      batch: {
        records: [...values("a"), { value: "b", headers: [["x", "1"]], headerCount: 2 }],
      },
      why: /bytes are missing/,
    },
    {
      what: "has a record that states a header less than it has",
      batch: {
        records: [{ value: "a", headers: [["x", "1"]], headerCount: 0 }, ...values("b")],
      },
      why: /not as long as/,
    },
    ...[
      { of: "a header whose name has a length below -1", parts: [-2n, 0n], why: /left of -2/ },
      { of: "a header whose value has a length below -1", parts: [0n, -2n], why: /left of -2/ },
      { of: "a header that ends in the next record", parts: [0n, 3n], why: /not as long as/ },
      { of: "a header that ends behind the batch", parts: [0n, 99n], why: /are left of 99/ },
      {
        of: "a header whose length has too many bytes",
        parts: [0n, 2n ** 40n],
        why: /more than 5 bytes/,
      },
    ].map(({ of, parts, why }) => {
      const behindHeaders = Buffer.concat(parts.map(long));
      const records = [{ value: "a", headerCount: 1, behindHeaders }, ...values("b")];
      return { what: `has ${of}`, batch: { records }, why };
    }),
    {
      what: "is packed in an unknown way",
      batch: { attributes: 7, records: values("a", "b") },
      why: /compression is unknown/,
    },
    {
      what: "is of a format to come",
      batch: { magic: 3, records: values("a", "b") },
      why: /message format 3/,
    },
  ])(
    "because it $what becomes one message, and those around it are read",
    async ({ batch, why }) => {
      const bytes = recordBatch({ ...batch, firstOffset: 1n });
      const { messages, refused } = await readLogs([
        Buffer.concat([recordBatch(good), bytes, recordBatch(behind(3n))]),
      ]);
      expect(messages.map(({ offset }) => offset)).toEqual(["0", "2", "3"]);
      const [, standsFor] = messages;
      expect(standsFor).toMatchObject({
        key: null,
        value: bytes.subarray(61),
        isControlRecord: false,
      });
      const value = standsFor?.value ?? Buffer.alloc(0);
      const refusal = refusalOf(value);
      expect(refusal).toMatch(why);
      expect(refusalOf(Buffer.from(value))).toBeNull();
      expect(refused).toEqual([{ topic: "topic", partition: 0, refusal }]);
    },
  );

  test("is in the format of Kafka before 0.11: each of its messages is on its own", async () => {
    const old = recordBatch({ magic: 1, firstOffset: 4n, records: values("a") });
    const { messages } = await readLogs([Buffer.concat([old, recordBatch(behind(5n))])]);
    expect(messages.map(({ offset }) => offset)).toEqual(["4", "5"]);
    expect(refusalOf(messages[0]?.value ?? Buffer.alloc(0))).toMatch(/message format 1/);
  });
});

describe("a response with more than is read at once", () => {
  const large = (firstOffset: bigint) =>
    recordBatch(packed("gzip", { firstOffset, records: values("z".repeat(9_000)) }));

  test("is read batch by batch up to the limit", async () => {
    const { messages } = await readLogs([Buffer.concat([0n, 1n, 2n, 3n, 4n].map(large))]);
    expect(messages.map(({ offset }) => offset)).toEqual(["0", "1", "2"]);
  });

  test("of many messages too, though they are not packed", async () => {
    const hundred = values(...Array.from({ length: 100 }, () => ""));
    const { messages } = await read(
      [0n, 100n, 200n].map((firstOffset) => ({ firstOffset, records: hundred })),
    );
    expect(messages).toHaveLength(200);
  });

  test("of batches that are too large is not unpacked without end", async () => {
    const bomb = packed("gzip", { records: values("z".repeat(11_000)) });
    const { messages } = await read(
      [0n, 1n, 2n, 3n].map((firstOffset) => ({ ...bomb, firstOffset })),
    );
    expect(messages).toHaveLength(2);
  });

  test("leaves no partition out for ever", async () => {
    const decode = fetchDecoder(LIMITS, () => undefined);
    const response = fetchResponse(
      "topic",
      [0, 1, 2].map(() => Buffer.concat([0n, 1n].map(large))),
    );
    const turns: number[][] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const { responses } = await decode(response, 11);
      turns.push(responses[0]?.partitions.map(({ messages }) => messages.length) ?? []);
    }
    expect(turns).toEqual([
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 2],
    ]);
  });

  test("gives at least one batch", async () => {
    const decode = fetchDecoder(
      { ...LIMITS, responseBytes: 1, responseRecords: 1 },
      () => undefined,
    );
    const { responses } = await decode(fetchResponse("topic", [large(0n)]), 11);
    expect(responses[0]?.partitions[0]?.messages).toHaveLength(1);
  });
});

test("a hundred thousand headers of one name are read in no time", async () => {
  const headers = Array.from({ length: 100_000 }, () => ["x", null] as const);
  const log = recordBatch({ records: [{ value: "a", headers }] });
  const decode = fetchDecoder({ ...LIMITS, batchRecords: 100_000 }, () => undefined);
  const { responses } = await decode(fetchResponse("topic", [log]), 11);
  expect(responses[0]?.partitions[0]?.messages[0]?.headers["x"]).toHaveLength(100_000);
});

function values(...texts: string[]): RecordFields[] {
  return texts.map((value) => ({ value }));
}

function packed(way: keyof typeof PACK, fields: BatchFields): BatchFields {
  return { ...fields, attributes: CODEC_NUMBER[way], pack: PACK[way] };
}

function read(batches: readonly BatchFields[]) {
  return readLogs([Buffer.concat(batches.map(recordBatch))]);
}

/** The messages of partition 0, and what was refused. */
async function readLogs(logs: readonly Buffer[]) {
  const refused: RefusedBatch[] = [];
  const decode = fetchDecoder(LIMITS, (batch) => refused.push(batch));
  const { responses } = await decode(fetchResponse("topic", logs), 11);
  return { messages: responses[0]?.partitions[0]?.messages ?? [], refused };
}
