import { setTimeout as sleep } from "node:timers/promises";
import { TOPICS } from "../core/topics.ts";
import { type EventWindow, rejectEvent, type UsageEvent } from "../core/usage-event.ts";
import { isKafkaOutage, openKafka } from "../kafka/kafka-client.ts";
import { openPublisher, type Publisher } from "../kafka/publisher.ts";
import { openRegistry, RegistryUnavailable } from "../kafka/registry.ts";
import { createLogger, type Logger } from "../runtime/logger.ts";
import { DEFAULT_WINDOW, type KafkaSettings, type RegistrySettings } from "../runtime/settings.ts";
import { growingWait } from "../runtime/waits.ts";
import { eventIds } from "./event-ids.ts";

/** Usage as a product service states it; what is left out is filled in. */
export interface Usage {
  readonly accountId: string;
  readonly meter: string;
  /** In the meter's smallest whole unit, at least 0. */
  readonly quantity: bigint | number;
  /** The event's identity within the account: the same id again is the same event. Default: a new UUIDv7. */
  readonly eventId?: string;
  /** Default: now. */
  readonly occurredAt?: Date;
  readonly source?: string;
  readonly dimensions?: Readonly<Record<string, string>>;
}

export interface UsageClientOptions {
  readonly kafka: Pick<KafkaSettings, "brokers"> & Partial<Pick<KafkaSettings, "tls" | "sasl">>;
  readonly registry: Pick<RegistrySettings, "url"> & Partial<Pick<RegistrySettings, "auth">>;
  /** The `source` of events that name none. */
  readonly source?: string;
  /** How many events may wait for Kafka before `publish` makes its caller wait too. Default 10,000. */
  readonly maxPending?: number;
  /** How long an event is tried to be delivered before it counts as failed. Default 120,000. */
  readonly giveUpAfterMs?: number;
  /** How far an event's time may lie from the clock; that of the metering it goes to. Default 5 minutes ahead, 35 days back. */
  readonly window?: EventWindow;
  /** Hears of deliveries that are tried again. Default: nobody. */
  readonly logger?: Logger;
}

/** The usage cannot be metered as stated; it was not published. */
export class InvalidUsage extends Error {}

/** Kafka did not acknowledge the event in time. Publish `event` again: its id makes that safe. */
export class PublishFailed extends Error {
  readonly event: UsageEvent;
  constructor(event: UsageEvent, cause: unknown) {
    super(`event ${event.eventId} was not acknowledged: ${(cause as Error).message}`, { cause });
    this.event = event;
  }
}

export interface UsageClient {
  /**
   * Publishes usage and resolves with the event once Kafka has it durably. Events published without
   * waiting for one another travel in batches, each account's in order. Rejects with InvalidUsage
   * at once, or with PublishFailed.
   */
  publish(usage: Usage): Promise<UsageEvent>;
  /** Resolves when there is room for another event without waiting. */
  ready(): Promise<void>;
  /** Resolves when everything published so far is acknowledged or has failed. */
  flush(): Promise<void>;
  /** Flushes, then disconnects. Nothing can be published afterwards. */
  close(): Promise<void>;
}

interface Pending {
  readonly event: UsageEvent;
  readonly resolve: (event: UsageEvent) => void;
  readonly reject: (error: Error) => void;
}

const MAX_BATCH = 2_000;
const LINGER_MS = 2;

/** Opens a client for publishing usage. It connects when the first event is published. */
export function openUsageClient(options: UsageClientOptions): UsageClient {
  const logger = options.logger ?? createLogger("usage-client", "silent");
  const kafka = openKafka(
    { tls: null, sasl: null, replication: -1, usagePartitions: 1, ...options.kafka },
    "drawdown-usage-client",
    logger,
  );
  const publisher = openPublisher(kafka, openRegistry({ auth: null, ...options.registry }));
  const maxPending = options.maxPending ?? 10_000;
  const giveUpAfterMs = options.giveUpAfterMs ?? 120_000;
  const newId = eventIds();
  const queue: Pending[] = [];
  let inFlight = 0;
  let closed = false;
  let sending: Promise<void> | null = null;
  let roomMade = Promise.withResolvers<void>();

  return {
    async publish(usage) {
      if (closed) throw new Error("the usage client is closed");
      const event = toEvent(usage, options.source ?? "", options.window ?? DEFAULT_WINDOW, newId);
      await ready();
      const { promise, resolve, reject } = Promise.withResolvers<UsageEvent>();
      queue.push({ event, resolve, reject });
      sending ??= sendAll();
      return promise;
    },
    ready,
    flush,
    async close() {
      closed = true;
      await flush();
      await publisher.close();
    },
  };

  async function ready(): Promise<void> {
    while (queue.length + inFlight >= maxPending) await roomMade.promise;
  }

  async function flush(): Promise<void> {
    while (sending !== null) await sending;
  }

  async function sendAll(): Promise<void> {
    await sleep(LINGER_MS);
    while (queue.length > 0) {
      const batch = queue.splice(0, MAX_BATCH);
      inFlight = batch.length;
      await send(publisher, batch, Date.now() + giveUpAfterMs, logger);
      inFlight = 0;
      roomMade.resolve();
      roomMade = Promise.withResolvers<void>();
    }
    sending = null;
  }
}

/** Delivers a batch, trying again with growing waits: the events' ids make a repeat harmless. */
async function send(
  publisher: Publisher,
  batch: readonly Pending[],
  giveUpAt: number,
  logger: Logger,
): Promise<void> {
  const records = batch.map(({ event }) => toOutgoing(event));
  for (let tries = 1; ; tries += 1) {
    try {
      await publisher.publish(records);
      for (const { event, resolve } of batch) resolve(event);
      return;
    } catch (error) {
      const waitMs = growingWait(tries);
      if (!isOutage(error) || Date.now() + waitMs > giveUpAt) {
        for (const { event, reject } of batch) reject(new PublishFailed(event, error));
        return;
      }
      logger.warn({ waitMs, error: (error as Error).message }, "usage not delivered, trying again");
      await sleep(waitMs);
    }
  }
}

function isOutage(error: unknown): boolean {
  return isKafkaOutage(error) || error instanceof RegistryUnavailable;
}

function toEvent(
  usage: Usage,
  source: string,
  window: EventWindow,
  newId: (now: number) => string,
): UsageEvent {
  const now = Date.now();
  const event: UsageEvent = {
    eventId: usage.eventId ?? newId(now),
    accountId: usage.accountId,
    meter: usage.meter,
    quantity: toQuantity(usage.quantity),
    occurredAt: usage.occurredAt?.getTime() ?? now,
    source: usage.source ?? source,
    dimensions: usage.dimensions ?? {},
  };
  const rejection = Number.isNaN(event.occurredAt)
    ? { reason: "malformed", detail: "occurredAt is not a date" }
    : rejectEvent(event, now, window);
  if (rejection === null) return event;
  throw new InvalidUsage(`usage not published (${rejection.reason}): ${rejection.detail}`);
}

function toQuantity(quantity: bigint | number): bigint {
  if (typeof quantity === "number" && !Number.isSafeInteger(quantity)) {
    throw new InvalidUsage(`usage not published: quantity ${quantity} is not a whole number`);
  }
  return BigInt(quantity);
}

function toOutgoing(event: UsageEvent) {
  return {
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
    },
  };
}
