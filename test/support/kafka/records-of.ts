import type { KafkaMessage } from "kafkajs";
import type { MessageBatch, RecordsBatch } from "../../../shared/kafka/consume/batch-forms.ts";
import { READ_LIMITS, readBatch } from "../../../shared/kafka/records/read-batch.ts";
import { recordBatches } from "../../../shared/kafka/records/record-batch.ts";
import { recordBatch } from "./record-batch.ts";

/** Messages as metering is handed them: as records of one batch in the log. */
export async function recordsOf({ messages, ...stretch }: MessageBatch): Promise<RecordsBatch> {
  const firstOffset = stretch.fetchedFrom;
  const bytes = recordBatch({
    firstOffset,
    lastOffsetDelta: Number(stretch.nextOffset - firstOffset) - 1,
    records: messages.map(({ key, value, headers, offset }) => ({
      ...{ key: key?.toString() ?? null, value },
      ...{ headers: pairsOf(headers), offsetDelta: Number(BigInt(offset) - firstOffset) },
    })),
  });
  const [batch] = recordBatches(bytes);
  if (batch === undefined) throw new Error("no batch");
  const { records } = await readBatch(batch, READ_LIMITS);
  return { ...stretch, slices: [{ records, from: 0, to: records.count }], count: records.count };
}

function pairsOf(headers: KafkaMessage["headers"]): [string, string][] {
  return Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
}
