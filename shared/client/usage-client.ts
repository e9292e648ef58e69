import { setTimeout as sleep } from "node:timers/promises";
import { TOPICS } from "../core/text/topics.ts";
import { DEFAULT_WINDOW, type EventWindow, type UsageEvent } from "../core/usage/usage-event.ts";
import { isKafkaOutage, type KafkaLog, openKafka } from "../kafka/client/kafka-client.ts";
import { RegistryUnavailable, registerSchema } from "../kafka/codec/registry.ts";
import { openPublisher } from "../kafka/publish/publisher.ts";
import type { KafkaSettings, RegistrySettings } from "../runtime/server-settings.ts";
import { growingWait } from "../runtime/waits.ts";
import { eventIds } from "./event-ids.ts";
import { toText, toUsageEvent } from "./to-usage-event.ts";
import type { Usage } from "./usage.ts";

export { InvalidUsage } from "./to-usage-event.ts";
export type { Usage } from "./usage.ts";

export interface UsageClientOptions {
  readonly kafka: Pick<KafkaSettings, "brokers"> & Partial<Pick<KafkaSettings, "tls" | "sasl">>;
  readonly registry: Pick<RegistrySettings, "url"> & Partial<Pick<RegistrySettings, "auth">>;
  /** The `source` of events without one. */
  readonly source?: string;
  /** The number of unacknowledged events above which `ready` waits. Default 10,000. */
  readonly maxPending?: number;
  /** How long after `publish` an unacknowledged event fails; an attempt under way is awaited. Default 120,000. */
  readonly giveUpAfterMs?: number;
  /** How far an event's time may be from the clock; set it as in metering. Default 5 minutes ahead, 35 days back. */
  readonly window?: EventWindow;
  /** Logs retries. Default: none. */
  readonly logger?: KafkaLog;
}

/**
 * Kafka did not acknowledge the event in time, or refuses it (`cause`). `event` can be published again as
 * it is: its id makes that safe.
 */
export class PublishFailed extends Error {
  readonly event: UsageEvent;
  constructor(event: UsageEvent, cause: unknown) {
    super(`event ${event.eventId} was not acknowledged: ${(cause as Error).message}`, { cause });
    this.event = event;
  }
}

/** What accompanies an event. */
export interface PublishOptions {
  /** The context of the caller's trace (W3C Trace Context), which metering continues; default: none. */
  readonly traceparent?: string | null | undefined;
}

export interface UsageClient {
  /**
   * Publishes usage and resolves with the event once Kafka has it durably. Events published without
   * awaiting each other are sent in batches, each account's in order; await `ready` to limit them.
   * Rejects with InvalidUsage immediately, or with PublishFailed.
   */
  publish(usage: Usage, options?: PublishOptions): Promise<UsageEvent>;
  /** Resolves when fewer than `maxPending` events are unacknowledged. */
  ready(): Promise<void>;
  /** Resolves when every event published so far is acknowledged or has failed. */
  flush(): Promise<void>;
  /** Flushes and disconnects. Nothing can be published afterwards. */
  close(): Promise<void>;
}

interface Pending {
  readonly event: UsageEvent;
  readonly traceparent: string | null;
  readonly resolve: (event: UsageEvent) => void;
  readonly reject: (error: unknown) => void;
  /** In the time of `performance.now()`; rises along the queue. */
  readonly giveUpAt: number;
}

const SILENT: KafkaLog = { debug() {}, warn() {} };
const MAX_BATCH = 2_000;
const LINGER_MS = 2;

/** Opens a client that publishes usage. It connects with the first event. */
export function openUsageClient(options: UsageClientOptions): UsageClient {
  const logger = options.logger ?? SILENT;
  const kafka = openKafka(
    { tls: null, sasl: null, ...options.kafka },
    "drawdown-usage-client",
    logger,
  );
  const registry = { auth: null, ...options.registry };
  const publisher = openPublisher(kafka, {
    register: (schema) => registerSchema(registry, schema),
  });
  const maxPending = options.maxPending ?? 10_000;
  const giveUpAfterMs = options.giveUpAfterMs ?? 120_000;
  const newId = eventIds();
  /** Unacknowledged events, oldest first. */
  const queue: Pending[] = [];
  let newest: Promise<unknown> = Promise.resolve();
  let closed = false;
  let isSending = false;
  /** The callers of `ready` that wait. */
  const waiting: (() => void)[] = [];

  return {
    publish(usage, options = {}) {
      let event: UsageEvent;
      let traceparent: string | null;
      try {
        event = accept(usage);
        traceparent =
          options.traceparent == null ? null : toText("traceparent", options.traceparent);
      } catch (error) {
        return Promise.reject(error);
      }
      const published = new Promise<UsageEvent>((resolve, reject) => {
        const giveUpAt = performance.now() + giveUpAfterMs;
        queue.push({ event, traceparent, resolve, reject, giveUpAt });
      });
      newest = published;
      if (!isSending) void sendAll();
      return published;
    },
    async ready() {
      while (queue.length >= maxPending) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    flush,
    async close() {
      closed = true;
      await flush();
      await publisher.close();
    },
  };

  function accept(usage: Usage): UsageEvent {
    if (closed) throw new Error("the usage client is closed");
    return toUsageEvent(usage, options.source ?? "", options.window ?? DEFAULT_WINDOW, newId);
  }

  /** Events are sent in order, so the newest is settled last. */
  async function flush(): Promise<void> {
    await newest.catch(() => undefined);
  }

  /** Sends batch after batch and retries with growing waits; ids make repeats harmless. */
  async function sendAll(): Promise<void> {
    isSending = true;
    await sleep(LINGER_MS);
    for (let failures = 0; queue.length > 0; ) {
      const batch = queue.slice(0, MAX_BATCH);
      try {
        await publisher.publish(batch.map(toOutgoing));
        failures = 0;
        settle(batch.length, ({ event, resolve }) => resolve(event));
      } catch (error) {
        const giveUp = ({ event, reject }: Pending) => reject(new PublishFailed(event, error));
        if (!isOutage(error)) {
          settle(batch.length, giveUp);
          continue;
        }
        failures += 1;
        const waitMs = growingWait(failures);
        settle(countOverdue(queue, performance.now() + waitMs), giveUp);
        if (queue.length === 0) break;
        const { message } = error as Error;
        logger.warn({ waitMs, error: message }, "usage not delivered, trying again");
        await sleep(waitMs);
      }
    }
    isSending = false;
  }

  function settle(count: number, how: (pending: Pending) => void): void {
    for (const pending of queue.splice(0, count)) how(pending);
    for (const wake of waiting.splice(0)) wake();
  }
}

/** The number of events at the head of the queue that are overdue at `time`. */
function countOverdue(queue: readonly Pending[], time: number): number {
  const inTime = queue.findIndex(({ giveUpAt }) => giveUpAt >= time);
  return inTime === -1 ? queue.length : inTime;
}

function isOutage(error: unknown): boolean {
  return isKafkaOutage(error) || error instanceof RegistryUnavailable;
}

function toOutgoing({ event, traceparent }: Pending) {
  return {
    traceparent,
    topic: TOPICS.usageEvents,
    key: event.accountId,
    sequence: null,
    record: {
      event_id: event.eventId,
      account_id: event.accountId,
      meter: event.meter,
      quantity: event.quantity,
      occurred_at: event.occurredAt,
      source: event.source,
      dimensions: event.dimensions,
      quantities: event.quantities,
      hold_id: event.holdId,
    },
  };
}
