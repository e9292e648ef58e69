import { isSampled, parseTraceparent, TRACEPARENT } from "../../runtime/tracing/trace-context.ts";
import type { RecordTable } from "../records/record-table.ts";
import type { RecordsBatch } from "./batch-forms.ts";

/** The most events of a transaction that are traced, and the most messages with headers that are looked at for it. */
const MOST_TRACED = 128;
const MOST_READ = 1_000;

/** An event that comes with the context of a trace which is kept. */
export interface TracedEvent {
  readonly traceparent: string;
  readonly partition: number;
  /** As Kafka counts. */
  readonly offset: number;
}

/** The first traced events of batches. Only messages with headers are read, and a bounded number of those. */
export function tracedEvents(batches: readonly RecordsBatch[]): TracedEvent[] {
  const traced: TracedEvent[] = [];
  let read = 0;
  for (const place of unusualRecords(batches)) {
    if (read === MOST_READ || traced.length === MOST_TRACED) break;
    read += 1;
    const event = tracedEvent(place);
    if (event !== null) traced.push(event);
  }
  return traced;
}

interface RecordPlace {
  readonly partition: number;
  readonly records: RecordTable;
  readonly index: number;
}

/** Those that have headers, or no value. */
function* unusualRecords(batches: readonly RecordsBatch[]): Generator<RecordPlace> {
  for (const { partition, slices } of batches) {
    for (const { records, from, to } of slices) {
      for (let index = from; index < to; index += 1) {
        if ((records.valueAt[index] ?? -1) === -1) yield { partition, records, index };
      }
    }
  }
}

function tracedEvent({ partition, records, index }: RecordPlace): TracedEvent | null {
  const traceparent = String(records.message(index).headers[TRACEPARENT] ?? "");
  const context = parseTraceparent(traceparent);
  if (context === null || !isSampled(context)) return null;
  return { traceparent, partition, offset: records.offsets[index] ?? 0 };
}
