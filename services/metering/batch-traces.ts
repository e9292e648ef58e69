import { TOPICS } from "../../shared/core/text/topics.ts";
import { type TracedEvent, tracedEvents } from "../../shared/kafka/consume/traced-events.ts";
import type { BookTraces } from "../../shared/kafka/publish/publish-traces.ts";
import { spanClock, type Tracing } from "../../shared/runtime/tracing/tracing.ts";
import type { BatchWatch, Delivery } from "./meter-messages.ts";

/** Traces the metering of batches, where traces are on. */
export type TraceBatches = <T>(
  deliveries: readonly Delivery[],
  meter: (trace: BatchWatch) => Promise<T>,
) => Promise<T>;

export const UNTRACED_BATCHES: TraceBatches = (_, meter) => meter({});

const FROM_KAFKA = {
  "messaging.system": "kafka",
  "messaging.destination.name": TOPICS.usageEvents,
};

/**
 * Traces transactions: each is a trace of its own, with its steps, that links to its traced events. Each of these
 * has a span in its own trace, which links to the transaction.
 */
export function batchTraces(tracing: Tracing, books: Pick<BookTraces, "committed">): TraceBatches {
  return async (deliveries, meter) => {
    const batches = deliveries.map(({ batch }) => batch);
    const events = tracedEvents(batches);
    const now = spanClock();
    const begun = { kind: "consumer", at: now() } as const;
    const batch = tracing.start("meter batch", {
      ...begun,
      links: events.map(({ traceparent }) => traceparent),
      attributes: {
        ...FROM_KAFKA,
        "messaging.batch.message_count": batches.reduce((sum, { count }) => sum + count, 0),
        "drawdown.partitions": batches.map(({ partition }) => partition),
      },
    });
    const links = batch.traceparent === null ? [] : [batch.traceparent];
    const ofEvents = events.map(({ traceparent, ...place }) =>
      tracing.start(`process ${TOPICS.usageEvents}`, {
        ...{ ...begun, parent: traceparent, links, attributes: placeOf(place) },
      }),
    );
    const end = (error?: unknown) => {
      const at = now();
      for (const span of [...ofEvents, batch]) span.end(at, error);
    };
    let since: number = begun.at;
    const trace: BatchWatch = {
      step(step) {
        const until = now();
        batch.start(step, { kind: "internal", at: since }).end(until);
        since = until;
      },
      committed({ metered, repeats, deadLetters, lowBalances }) {
        batch.set({
          "drawdown.metered": metered,
          "drawdown.repeats": repeats,
          "drawdown.dead_letters": deadLetters,
          "drawdown.low_balances": lowBalances,
        });
        if (batch.traceparent !== null) books.committed(batch.traceparent);
      },
    };
    try {
      const result = await meter(trace);
      end();
      return result;
    } catch (error) {
      end(error);
      throw error;
    }
  };
}

function placeOf({ partition, offset }: Omit<TracedEvent, "traceparent">) {
  return {
    ...FROM_KAFKA,
    "messaging.destination.partition.id": String(partition),
    "messaging.kafka.offset": offset,
  };
}
