import type { Kafka } from "kafkajs";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { openEncoder } from "../../../shared/kafka/codec/encoder.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { toEvent, type Usage } from "../books/usage-batches.ts";
import { rawProducer } from "./kafka.ts";

export interface UsagePublisher {
  /** Publishes events in order, each account's on one partition (or all on the given one). */
  publish(usages: readonly Usage[], partition?: number): Promise<UsageEvent[]>;
  close(): Promise<void>;
}

/** Publishes usage as a product service would. */
export async function openUsagePublisher(
  kafka: Kafka,
  env: NodeJS.ProcessEnv = process.env,
): Promise<UsagePublisher> {
  const producer = await rawProducer(kafka);
  const encode = await openEncoder(openRegistry(readSettings(env).registry), SCHEMAS.usageEvents);
  return {
    async publish(usages, partition) {
      const events = usages.map((usage) => toEvent(usage, { partition: 0, offset: 0n }));
      const messages = events.map((event) => ({
        key: event.accountId,
        value: encode({
          event_id: event.eventId,
          account_id: event.accountId,
          meter: event.meter,
          quantity: event.quantity,
          occurred_at: event.occurredAt,
          source: event.source,
          dimensions: event.dimensions,
          quantities: event.quantities,
          hold_id: event.holdId,
        }),
        ...(partition === undefined ? {} : { partition }),
      }));
      await producer.send({ topic: TOPICS.usageEvents, messages });
      return events;
    },
    close: () => producer.disconnect(),
  };
}
