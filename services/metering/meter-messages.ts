import type { Admin } from "kafkajs";
import type { Instant } from "../../shared/core/line/account.ts";
import { USAGE_READER } from "../../shared/core/text/topics.ts";
import type { EventWindow } from "../../shared/core/usage/usage-event.ts";
import { RegistryUnavailable } from "../../shared/kafka/codec/registry.ts";
import type { UsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { decodeBatch } from "../../shared/kafka/consume/decode-batch.ts";
import type { MessageBatch } from "../../shared/kafka/consume/partition-reader.ts";
import { rateCardReader } from "../../shared/ledger/catalogue/rates.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import type { DebitOutcome, RunOutcome, UsageRun } from "../../shared/ledger/usage/batch.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { waitOut } from "../../shared/runtime/waits.ts";

export interface MeteringParts {
  readonly database: Database;
  readonly decoder: UsageDecoder;
  readonly admin: Pick<Admin, "fetchTopicOffsets">;
  readonly window: EventWindow;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  /** Hears of every committed transaction. */
  onCommitted(outcome: DebitOutcome): void;
}

const NOTHING = Buffer.alloc(0);

/** The topic has fewer messages than the books have read: it is not the topic it was. */
export class TopicRecreated extends Error {}

/** A batch of one partition, and how to tell the group meanwhile that its consumer lives. */
export interface Delivery {
  readonly batch: MessageBatch;
  heartbeat(): Promise<void>;
}

/**
 * Makes the handler that meters batches, each of another partition, in one transaction, waiting out
 * outages of registry and Postgres. Returns for each batch the offset to read its partition from next.
 */
export function meterMessages(
  parts: MeteringParts,
): (deliveries: readonly Delivery[]) => Promise<bigint[]> {
  const { database, decoder, window } = parts;
  const readRates = rateCardReader();
  let expectRepeats = false;

  return async (deliveries) => {
    const waiting = {
      signal: parts.stopping,
      isOutage: (error: unknown) => error instanceof RegistryUnavailable || isDatabaseOutage(error),
      async onWait(error: unknown, waitMs: number) {
        parts.logger.warn(
          { partitions: deliveries.map(partitionOf), waitMs, error: (error as Error).message },
          error instanceof RegistryUnavailable
            ? "waiting for the registry"
            : "waiting for Postgres",
        );
        await Promise.all(deliveries.map(({ heartbeat }) => heartbeat()));
      },
    };
    for (const { batch } of deliveries) {
      await waitOut(() => decoder.learn(batch.messages.map(({ value }) => value)), waiting);
    }
    const now = Date.now();
    const debit = (runs: readonly UsageRun[]) => {
      const usage = { reader: USAGE_READER, now, runs, expectRepeats };
      return waitOut(() => debitUsage(database, readRates, usage), waiting);
    };
    const outcome = await debit(
      deliveries.map(({ batch }) => decodeBatch(batch, decoder, now, window)),
    );
    expectRepeats = outcome.repeats > 0;
    parts.onCommitted(outcome);
    return Promise.all(
      deliveries.map(async ({ batch }, index) => {
        const became = outcome.runs[index];
        if (became?.kind !== "gap") return nextAfter(batch, became);
        const lost = await lostToRetention(parts, batch, became.nextOffset, now);
        if (lost !== null) await debit([lost]);
        return lost?.nextOffset ?? became.nextOffset;
      }),
    );
  };
}

function nextAfter(batch: MessageBatch, became?: Exclude<RunOutcome, { kind: "gap" }>): bigint {
  if (became === undefined) throw new Error(`nothing became of partition ${batch.partition}`);
  if (became.kind === "committed") return batch.nextOffset;
  if (became.nextOffset > batch.highWatermark) throw recreated(batch, became.nextOffset);
  return became.nextOffset;
}

function partitionOf({ batch }: Delivery): number {
  return batch.partition;
}

/**
 * Where retention has deleted messages that were never read, the books move past them with a dead
 * letter that says so; nothing else would show that they existed. Null: they are still there.
 */
async function lostToRetention(
  { admin, logger }: MeteringParts,
  { topic, partition }: MessageBatch,
  from: bigint,
  recordedAt: Instant,
): Promise<UsageRun | null> {
  const offsets = await admin.fetchTopicOffsets(topic);
  const first = BigInt(offsets.find((known) => known.partition === partition)?.low ?? from);
  if (first <= from) return null;
  const detail = `offsets ${from} to ${first - 1n} were deleted by the topic's retention before they were read`;
  logger.error({ topic, partition }, detail);
  return {
    partition,
    fetchedFrom: from,
    nextOffset: first,
    events: [],
    deadLetters: [
      {
        topic,
        partition,
        offset: from,
        accountId: null,
        meter: null,
        occurredAt: null,
        rejection: { reason: "lost_to_retention", detail },
        key: null,
        payload: NOTHING,
        recordedAt,
      },
    ],
    messageAt: () => ({ key: null, value: NOTHING }),
  };
}

function recreated(batch: MessageBatch, nextOffset: bigint): TopicRecreated {
  return new TopicRecreated(
    `${batch.topic}/${batch.partition} ends at ${batch.highWatermark}, but the books have read up to ${nextOffset}: ` +
      "the topic is not the one they were kept from. Point DATABASE_URL and KAFKA_BROKERS at a matching pair, " +
      "or restore the topic.",
  );
}
