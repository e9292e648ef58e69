import type { Instant } from "../../shared/core/line/account.ts";
import { webhookReader } from "../../shared/core/text/topics.ts";
import type { EventType } from "../../shared/core/webhooks/event-types.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { openBillingReader } from "../../shared/kafka/codec/billing-records.ts";
import type { Registry } from "../../shared/kafka/codec/registry.ts";
import type { TopicSchema } from "../../shared/kafka/codec/schemas.ts";
import type { MessageBatch } from "../../shared/kafka/consume/batch-forms.ts";
import type { SkippedRecords } from "../../shared/kafka/consume/skipped-records.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { takeEvents, type WebhookEvent } from "../../shared/ledger/webhooks/take-events.ts";
import { bodyOf, type RecordFields } from "./webhook-body.ts";

/** Makes the handler of a billing topic: writes a delivery of each record for each endpoint that wants it. */
export function eventHandler(context: {
  readonly type: EventType;
  readonly schema: TopicSchema;
  readonly database: Database;
  readonly registry: Registry;
  readonly waits: Pick<OutageRetry, "untilUp">;
  readonly skipped: Pick<SkippedRecords, "skip">;
  now(): Instant;
  /** Called when deliveries were written. */
  onDeliveries(): void;
}): (batch: MessageBatch, heartbeat: () => Promise<void>) => Promise<bigint> {
  const { type, schema, database, registry, waits, skipped, now, onDeliveries } = context;
  const reader = webhookReader(type);
  const read = openBillingReader<RecordFields>(registry, schema);
  const toBody = bodyOf(type, schema);
  return async ({ messages, partition, fetchedFrom, nextOffset }, heartbeat) => {
    const events: WebhookEvent[] = [];
    for (const message of messages) {
      const record = await waits.untilUp("the registry", () => read(message));
      if ("problem" in record) {
        const unreadable = { reason: "unreadable", detail: record.problem } as const;
        skipped.skip({ topic: type, partition, offset: message.offset, ...unreadable });
        continue;
      }
      const { accountId, sequence } = record;
      const at = { offset: BigInt(message.offset), publishedAt: Number(message.timestamp) };
      events.push({ accountId, sequence, ...at, body: toBody(record) });
    }
    await heartbeat();
    const stretch = { reader, type, partition, fetchedFrom, nextOffset, events };
    const taken = await waits.untilUp("Postgres", () => takeEvents(database, stretch, now()));
    if (taken.deliveries > 0) onDeliveries();
    return taken.nextOffset;
  };
}
