import { expect, test } from "vitest";
import type { MessageBatch } from "../../../shared/kafka/consume/batch-forms.ts";
import { tracedEvents } from "../../../shared/kafka/consume/traced-events.ts";
import { recordsOf } from "../../support/kafka/records-of.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

test("an event is traced whose header is the context of a trace that is kept", async () => {
  const values = [
    ...[undefined, `${PARENT}-01`, `${PARENT}-00`, `${PARENT}-03-later`, `${PARENT}-1`, "junk"],
    ...[`ff${PARENT.slice(2)}-01`, `${PARENT.replace(/-.{32}/, `-${"0".repeat(32)}`)}-01`, ""],
  ];
  expect(tracedEvents([await batchOf(values)])).toEqual([
    { traceparent: `${PARENT}-01`, partition: 3, offset: 1 },
    { traceparent: `${PARENT}-03-later`, partition: 3, offset: 3 },
  ]);
});

test("at most 128 events of a transaction are traced", async () => {
  const many = await batchOf(Array.from({ length: 100 }, () => `${PARENT}-01`));
  expect(tracedEvents([many, many])).toHaveLength(128);
});

test("at most 1,000 messages with headers are read for it", async () => {
  const others = Array.from({ length: 999 }, () => `${PARENT}-00`);
  const traced = `${PARENT}-01`;
  expect(tracedEvents([await batchOf([...others, traced])])).toHaveLength(1);
  expect(tracedEvents([await batchOf([...others, "other", traced])])).toEqual([]);
});

/** Messages with such headers `traceparent`, from offset 0 of partition 3 on. */
function batchOf(traceparents: readonly (string | undefined)[]) {
  const messages = traceparents.map((traceparent, offset): MessageBatch["messages"][number] => ({
    ...{ key: null, value: Buffer.from("v"), timestamp: "0", attributes: 0 },
    ...{ offset: String(offset), headers: traceparent === undefined ? {} : { traceparent } },
  }));
  const nextOffset = BigInt(messages.length);
  const stretch = { topic: "t", partition: 3, fetchedFrom: 0n, nextOffset };
  return recordsOf({ ...stretch, highWatermark: nextOffset, messages });
}
