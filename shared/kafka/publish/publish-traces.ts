import { type Span, spanClock, type Tracing } from "../../runtime/tracing/tracing.ts";

/** What a publication is told of its trace. */
export interface PublishTrace {
  /** Called for each portion, once it is read. The `traceparent` for its headers; null: none. */
  publishing(records: number): string | null;
}

export const UNTRACED: PublishTrace = { publishing: () => null };

/** The traces of one publisher. */
interface PublisherTraces {
  /** Traces a call, which publishes what waits: a span, if anything does. */
  publish<T>(call: (trace: PublishTrace) => Promise<T>): Promise<T>;
  /** Notes a batch that has just been committed, by its `traceparent`. */
  committed(traceparent: string): void;
}

/** The traces of what a service publishes of the books. */
export interface BookTraces {
  readonly balances: PublisherTraces;
  readonly outbox: PublisherTraces;
  committed(traceparent: string): void;
}

/** As many links as a span has at most, and for how long a batch may wait to be published. */
const MOST_LINKS = 128;
const LINKED_WITHIN_MS = 5_000;

/** Traces a call where its publisher is traced. */
export function publishTraced<T>(
  traces: PublisherTraces | null,
  call: (trace: PublishTrace) => Promise<T>,
): Promise<T> {
  return traces === null ? call(UNTRACED) : traces.publish(call);
}

export function bookTraces(tracing: Tracing): BookTraces {
  const balances = publisherTraces(tracing, "publish balances");
  const outbox = publisherTraces(tracing, "relay outbox");
  return {
    ...{ balances, outbox },
    committed(traceparent) {
      balances.committed(traceparent);
      outbox.committed(traceparent);
    },
  };
}

/**
 * A publication links to the batches that this process has committed since it looked for what waits the time
 * before: those of which it may publish something. The outbox carries no context, which would cost each row.
 */
function publisherTraces(tracing: Tracing, name: string): PublisherTraces {
  let batches: { readonly traceparent: string; readonly at: number }[] = [];

  /** Those committed after the look may be in it or not: they are linked once more by the next. */
  function takeLinks(lookedAt: number): string[] {
    const oldest = performance.now() - LINKED_WITHIN_MS;
    const links = batches.filter(({ at }) => at >= oldest).map(({ traceparent }) => traceparent);
    batches = batches.filter(({ at }) => at >= lookedAt);
    return links;
  }

  return {
    committed(traceparent) {
      batches.push({ traceparent, at: performance.now() });
      if (batches.length > MOST_LINKS) batches.shift();
    },
    async publish(call) {
      const lookedAt = performance.now();
      const now = spanClock();
      const at = now();
      let span: Span | null = null;
      let published = 0;
      const end = (error?: unknown) => {
        span?.set({ "messaging.batch.message_count": published });
        span?.end(now(), error);
      };
      try {
        const result = await call({
          publishing(records) {
            published += records;
            span ??= tracing.start(name, {
              ...{ kind: "producer", at, links: takeLinks(lookedAt) },
              attributes: { "messaging.system": "kafka" },
            });
            return span.traceparent;
          },
        });
        end();
        return result;
      } catch (error) {
        end(error);
        throw error;
      }
    },
  };
}
