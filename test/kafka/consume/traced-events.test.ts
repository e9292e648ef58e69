import { expect, test } from "vitest";
import type { MessageBatch } from "../../../shared/kafka/consume/batch-forms.ts";
import { tracedEvents } from "../../../shared/kafka/consume/traced-events.ts";
import { READ_LIMITS, readBatch } from "../../../shared/kafka/records/read-batch.ts";
import { recordBatches } from "../../../shared/kafka/records/record-batch.ts";
import { type RecordFields, recordBatch } from "../../support/kafka/record-batch.ts";
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

test("it is found behind any number of messages whose traces are left out", async () => {
  const others = Array.from({ length: 5_000 }, (_, at) => (at % 2 === 0 ? `${PARENT}-00` : "junk"));
  const [traced, ...more] = tracedEvents([await batchOf([...others, `${PARENT}-01`])]);
  expect([traced?.offset, more]).toEqual([5_000, []]);
});

test("its context is found among other headers, unless there are two or it has no value", async () => {
  const kept = ["traceparent", `${PARENT}-01`] as const;
  const others = [
    ["tracestate", `${PARENT}-01`],
    ["traceparenT", "x"],
    ["", null],
  ] as const;
  const records: RecordFields[] = [
    { value: "v", headers: [...others, kept, ...others] },
    { value: null, headers: [kept] },
    { value: "v", headers: others },
    { value: "v", headers: [kept, kept] },
    { value: "v", headers: [kept, ["traceparent", null]] },
    { value: "v", headers: [["traceparent", null]] },
  ];
  const [batch] = recordBatches(recordBatch({ records }));
  if (batch === undefined) throw new Error("no batch");
  const { records: table } = await readBatch(batch, READ_LIMITS);
  const stretch = { topic: "t", partition: 3, fetchedFrom: 0n, nextOffset: 6n, highWatermark: 6n };
  const slices = [{ records: table, from: 0, to: table.count }];
  const traced = tracedEvents([{ ...stretch, slices, count: table.count }]);
  expect(traced.map(({ offset }) => offset)).toEqual([0, 1]);
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
