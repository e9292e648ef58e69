/** If one of the tests of KafkaJS itself fails, it has mended that, and a part of the patch can go. */
import { createRequire } from "node:module";
import type { KafkaMessage } from "kafkajs";
import kafkajs from "kafkajs";
import { describe, expect, test } from "vitest";
import { openConsumer } from "../../../shared/kafka/patches/read-every-batch.ts";
import { fetchDecoder } from "../../../shared/kafka/records/fetch-response.ts";
import { READ_LIMITS } from "../../../shared/kafka/records/read-batch.ts";
import { CODEC_NUMBER, PACK } from "../../support/kafka/pack.ts";
import { type BatchFields, fetchResponse, recordBatch } from "../../support/kafka/record-batch.ts";

interface Response {
  readonly responses: readonly {
    readonly partitions: readonly { readonly messages: readonly KafkaMessage[] }[];
  }[];
}

const theirs: { decode(bytes: Buffer): Promise<Response> } = createRequire(import.meta.url)(
  "kafkajs/src/protocol/requests/fetch/v11/response",
);
const ours = fetchDecoder(READ_LIMITS, () => undefined);
const ZEROS = [{ value: Buffer.alloc(READ_LIMITS.batchBytes + 1) }];
const TINY = responseOf({
  records: Array.from({ length: READ_LIMITS.batchRecords }, () => ({ value: null })),
});

describe("KafkaJS itself", () => {
  test.each(["snappy", "lz4", "zstd"] as const)("does not know %s", async (way) => {
    await expect(theirs.decode(responseOf(packed(way)))).rejects.toThrow("not implemented");
  });

  test("unpacks without a limit", async () => {
    const [message] = await messagesOf(theirs.decode(responseOf(packed("gzip", ZEROS))));
    expect(message?.value).toHaveLength(READ_LIMITS.batchBytes + 1);
  });

  test("cannot hand on a batch of half a million messages", async () => {
    await expect(theirs.decode(TINY)).rejects.toThrow("call stack");
  });

  test("throws away all batches for one that it cannot read", async () => {
    const noise = { ...packed("gzip"), pack: () => Buffer.from("noise") };
    await expect(theirs.decode(responseOf({ records: [] }, noise))).rejects.toThrow("header check");
  });

  test("stands still at a batch of which compaction has kept nothing", async () => {
    expect(
      await messagesOf(theirs.decode(responseOf({ records: [], lastOffsetDelta: 4 }))),
    ).toEqual([]);
  });
});

describe("our decoder", () => {
  test("gives the messages that KafkaJS gives, for what both can read", async () => {
    const response = responseOf(
      { records: [{ key: "a", value: "1", headers: [["sequence", "1"]] }, { value: null }] },
      { ...packed("gzip"), firstOffset: 2n },
      { attributes: 0x30, producerId: 7n, firstOffset: 4n, records: [{ value: "control" }] },
    );
    const expected = await messagesOf(theirs.decode(response));
    for (const [index, message] of (await messagesOf(ours(response, 11))).entries()) {
      const { offset, timestamp, key, value, headers } = message;
      expect(expected[index]).toMatchObject({ offset, timestamp, key, value });
      expect({ ...headers }).toEqual(expected[index]?.headers);
      expect(Reflect.get(message, "isControlRecord")).toBe(index === 4);
      expect(Reflect.get(expected[index] ?? {}, "batchContext")).toMatchObject(
        Reflect.get(message, "batchContext"),
      );
    }
    expect(expected).toHaveLength(5);
  });

  test("hands on a batch of half a million messages", async () => {
    expect(await messagesOf(ours(TINY, 11))).toHaveLength(READ_LIMITS.batchRecords);
  });
});

test("a KafkaJS that connects in another way is refused, not left as it is", () => {
  const other = Object.create(kafkajs.Kafka.prototype);
  expect(() => openConsumer(other, { groupId: "any" })).toThrow("connects in another way");
});

function packed(
  way: keyof typeof PACK,
  records: BatchFields["records"] = [{ value: "a" }, { value: "b" }],
) {
  return { records, attributes: CODEC_NUMBER[way], pack: PACK[way] };
}

function responseOf(...batches: BatchFields[]): Buffer {
  return fetchResponse("topic", [Buffer.concat(batches.map(recordBatch))]);
}

async function messagesOf(response: Promise<Response>): Promise<readonly KafkaMessage[]> {
  return (await response).responses[0]?.partitions[0]?.messages ?? [];
}
