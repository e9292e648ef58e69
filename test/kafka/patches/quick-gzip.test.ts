/** If the test of KafkaJS itself fails, KafkaJS compresses otherwise, and the patch may go. */
import { gunzipSync } from "node:zlib";
import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { QUICK_GZIP } from "../../../shared/kafka/patches/quick-gzip.ts";

/** Of RFC 1952: how it was compressed. 4 is the quickest, 0 the usual. */
const EXTRA_FLAGS = 8;
const buffer = Buffer.from("llm.input_tokens ".repeat(1_000));

test("KafkaJS itself compresses at zlib's usual level", async () => {
  const packed = await packedBy(kafkajs.CompressionTypes.GZIP);
  expect(packed[EXTRA_FLAGS]).toBe(0);
});

test("ours is the same gzip at the quickest level, and the batch says gzip", async () => {
  const packed = await packedBy(QUICK_GZIP);
  expect(packed[EXTRA_FLAGS]).toBe(4);
  expect(gunzipSync(packed)).toEqual(buffer);
  expect(QUICK_GZIP & 7).toBe(kafkajs.CompressionTypes.GZIP);
});

async function packedBy(type: kafkajs.CompressionTypes): Promise<Buffer> {
  const codec = Reflect.get(kafkajs.CompressionCodecs, type)();
  return await codec.compress({ buffer });
}
