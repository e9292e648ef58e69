import { sampledTraceparent, TRACEPARENT } from "../../runtime/tracing/trace-context.ts";
import { HeaderFinder } from "../records/header-finder.ts";
import type { RecordSlice, RecordsBatch } from "./batch-forms.ts";

/** The most events of a transaction that are traced. */
const MOST_TRACED = 128;

/** An event that comes with the context of a trace which is kept. */
export interface TracedEvent {
  readonly traceparent: string;
  readonly partition: number;
  /** As Kafka counts. */
  readonly offset: number;
}

/** The first traced events of batches. Of all others nothing is made: only the bytes of their headers are looked at. */
export function tracedEvents(batches: readonly RecordsBatch[]): TracedEvent[] {
  const header = new HeaderFinder(TRACEPARENT);
  const traced: TracedEvent[] = [];
  for (const { partition, slices } of batches) {
    for (const slice of slices) addTraced(traced, slice, partition, header);
  }
  return traced;
}

function addTraced(
  traced: TracedEvent[],
  { records, from, to }: RecordSlice,
  partition: number,
  header: HeaderFinder,
): void {
  for (let index = from; index < to && traced.length < MOST_TRACED; index += 1) {
    if (!header.find(records, index)) continue;
    const traceparent = sampledTraceparent(records.bytes, header.from, header.end);
    if (traceparent === null) continue;
    traced.push({ traceparent, partition, offset: records.offsets[index] ?? 0 });
  }
}
