import type { Admin } from "kafkajs";
import { METERING } from "../../shared/core/topics.ts";
import type { EventWindow } from "../../shared/core/usage-event.ts";
import type { MessageBatch, Next } from "../../shared/kafka/batch-consumer.ts";
import { RegistryUnavailable } from "../../shared/kafka/registry.ts";
import type { UsageDecoder } from "../../shared/kafka/usage-decoder.ts";
import type { Database } from "../../shared/ledger/database.ts";
import { type DebitOutcome, debitUsage, type UsageBatch } from "../../shared/ledger/debit-usage.ts";
import { isDatabaseOutage } from "../../shared/ledger/outage.ts";
import { rateCardReader } from "../../shared/ledger/rates.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { waitOut } from "../../shared/runtime/waits.ts";
import { readBatch } from "./read-batch.ts";

export interface MeteringParts {
  readonly database: Database;
  readonly decoder: UsageDecoder;
  readonly admin: Pick<Admin, "fetchTopicOffsets">;
  readonly window: EventWindow;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  /** Hears of every committed batch. */
  onCommitted(outcome: Extract<DebitOutcome, { kind: "committed" }>): void;
}

/** The topic has fewer messages than the books have read: it is not the topic it was. */
export class TopicRecreated extends Error {}

/** Makes the handler that meters batches of messages, waiting out outages of registry and Postgres. */
export function meterMessages(
  parts: MeteringParts,
): (batch: MessageBatch, heartbeat: () => Promise<void>) => Promise<Next> {
  const { database, decoder, window } = parts;
  const readRates = rateCardReader();
  let expectRepeats = false;

  return async (batch, heartbeat) => {
    const waiting = {
      signal: parts.stopping,
      isOutage: (error: unknown) => error instanceof RegistryUnavailable || isDatabaseOutage(error),
      async onWait(error: unknown, waitMs: number) {
        const { topic, partition } = batch;
        parts.logger.warn(
          { topic, partition, waitMs, error: (error as Error).message },
          error instanceof RegistryUnavailable
            ? "waiting for the registry"
            : "waiting for Postgres",
        );
        await heartbeat();
      },
    };
    await waitOut(() => decoder.learn(batch.messages.map(({ value }) => value)), waiting);
    const read = readBatch(batch, decoder, METERING, Date.now(), window);
    const debit = (usage: Omit<UsageBatch, "expectRepeats">) =>
      waitOut(() => debitUsage(database, readRates, { ...usage, expectRepeats }), waiting);

    const outcome = await debit(read);
    switch (outcome.kind) {
      case "committed":
        expectRepeats = outcome.repeats > 0;
        parts.onCommitted(outcome);
        return { kind: "go_on" };
      case "read_before":
        if (outcome.nextOffset > batch.highWatermark) throw recreated(batch, outcome.nextOffset);
        return { kind: "seek", offset: outcome.nextOffset };
      case "gap": {
        const lost = await lostToRetention(parts, read, outcome.nextOffset);
        if (lost !== null) await debit(lost);
        return { kind: "seek", offset: lost?.nextOffset ?? outcome.nextOffset };
      }
    }
  };
}

/**
 * Where retention has deleted messages that were never read, the books move past them with a dead
 * letter that says so; nothing else would show that they existed. Null: they are still there.
 */
async function lostToRetention(
  { admin, logger }: MeteringParts,
  read: Omit<UsageBatch, "expectRepeats">,
  from: bigint,
): Promise<Omit<UsageBatch, "expectRepeats"> | null> {
  const { topic, partition } = read.place;
  const offsets = await admin.fetchTopicOffsets(topic);
  const first = BigInt(offsets.find((known) => known.partition === partition)?.low ?? from);
  if (first <= from) return null;
  const detail = `offsets ${from} to ${first - 1n} were deleted by the topic's retention before they were read`;
  logger.error({ topic, partition }, detail);
  return {
    ...read,
    fetchedFrom: from,
    nextOffset: first,
    events: [],
    deadLetters: [
      {
        topic,
        partition,
        offset: from,
        accountId: null,
        rejection: { reason: "lost_to_retention", detail },
        key: null,
        payload: Buffer.alloc(0),
        recordedAt: read.now,
      },
    ],
  };
}

function recreated(batch: MessageBatch, nextOffset: bigint): TopicRecreated {
  return new TopicRecreated(
    `${batch.topic}/${batch.partition} ends at ${batch.highWatermark}, but the books have read up to ${nextOffset}: ` +
      "the topic is not the one they were kept from. Point DATABASE_URL and KAFKA_BROKERS at a matching pair, " +
      "or restore the topic.",
  );
}
