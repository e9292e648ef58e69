import type { Admin } from "kafkajs";
import type { Instant } from "../../shared/core/line/account.ts";
import { USAGE_READER } from "../../shared/core/text/topics.ts";
import { type EventWindow, earliestOf, windowOfKept } from "../../shared/core/usage/usage-event.ts";
import { RegistryUnavailable } from "../../shared/kafka/codec/registry.ts";
import type { UsageDecoder } from "../../shared/kafka/codec/usage-decoder.ts";
import { keepNames } from "../../shared/kafka/codec/usage-names.ts";
import type { RecordsBatch } from "../../shared/kafka/consume/batch-forms.ts";
import { decodeColumns, valueOfEachSchema } from "../../shared/kafka/consume/decode-columns.ts";
import type { DecodedUsage } from "../../shared/kafka/consume/decode-messages.ts";
import { findTrueRetries } from "../../shared/kafka/consume/true-retries.ts";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import type { DebitOutcome, DebitStep } from "../../shared/ledger/usage/batch.ts";
import { debitUsage } from "../../shared/ledger/usage/debit-usage.ts";
import { usagePastUntil } from "../../shared/ledger/usage/past-usage.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { waitOut } from "../../shared/runtime/waits.ts";
import { lostToRetention, nextOffset } from "./next-offset.ts";

export interface MeteringContext {
  readonly database: Database;
  readonly decoder: UsageDecoder;
  readonly admin: Pick<Admin, "fetchTopicOffsets">;
  readonly window: EventWindow;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  /** Called after every committed transaction. */
  onCommitted(outcome: DebitOutcome): void;
}

/** Watches batches on their way through one call. */
export interface BatchWatch {
  /** Called when each step has ended. */
  step?(step: DebitStep): void;
  /** Called after every committed transaction, before others are told. */
  committed?(outcome: DebitOutcome): void;
}

/** A batch of one partition, with its consumer's heartbeat. */
export interface Delivery {
  readonly batch: RecordsBatch;
  heartbeat(): Promise<void>;
}

/**
 * Makes a handler that meters batches, each of another partition, in one transaction. It waits out
 * outages of the registry and Postgres, and returns the next offset to read for each batch.
 */
export function meterMessages(
  context: MeteringContext,
): (deliveries: readonly Delivery[], watch?: BatchWatch) => Promise<bigint[]> {
  const { database, decoder } = context;
  const readRates = ratesReader();
  const readWindow = keptWindowReader(context);
  const names = keepNames();
  let expectRepeats = false;

  return async (deliveries, watch = {}) => {
    const committed = (outcome: DebitOutcome) => {
      watch.committed?.(outcome);
      context.onCommitted(outcome);
    };
    const heartbeat = async () => {
      await Promise.all(deliveries.map((delivery) => delivery.heartbeat()));
    };
    const waiting = outagesOf(context, deliveries, heartbeat);
    const batches = deliveries.map(({ batch }) => batch);
    const values = valueOfEachSchema(batches);
    const learning = { receivedAt: performance.now(), heartbeat };
    await waitOut(() => decoder.learn(values, learning), waiting);
    const now = Date.now();
    const window = await waitOut(() => readWindow(now), waiting);
    const debit = (decoded: DecodedUsage) => {
      watch.step?.("decode");
      const usage = {
        reader: USAGE_READER,
        now,
        ...decoded,
        expectRepeats,
        ...(watch.step && { onStep: watch.step }),
      };
      return waitOut(() => debitUsage(database, readRates, usage), waiting);
    };
    const reading = { decoder, now, window };
    const decoded = decodeColumns(batches, names(), reading);
    const retries = await waitOut(() => findTrueRetries(database, batches, decoded), waiting);
    const outcome = await debit(
      retries.size === 0 ? decoded : decodeColumns(batches, names(), { ...reading, retries }),
    );
    expectRepeats = outcome.repeats > 0;
    committed(outcome);
    return Promise.all(
      deliveries.map(async ({ batch }, index) => {
        const result = outcome.runs[index];
        if (result?.kind !== "gap") return nextOffset(context.admin, batch, result);
        const lost = await lostToRetention(context, batch, result.nextOffset, now);
        if (lost !== null) committed(await debit(lost));
        return lost?.runs[0]?.nextOffset ?? result.nextOffset;
      }),
    );
  };
}

/** Waits out outages of the registry and Postgres; the consumer stays in its group meanwhile. */
function outagesOf(
  { logger, stopping }: MeteringContext,
  deliveries: readonly Delivery[],
  heartbeat: () => Promise<void>,
) {
  const partitions = deliveries.map(({ batch }) => batch.partition);
  return {
    signal: stopping,
    isOutage: (error: unknown) => error instanceof RegistryUnavailable || isDatabaseOutage(error),
    async onWait(error: unknown, waitMs: number) {
      const server = error instanceof RegistryUnavailable ? "the registry" : "Postgres";
      const { message } = error as Error;
      logger.warn({ partitions, waitMs, error: message }, `waiting for ${server}`);
      await heartbeat();
    },
  };
}

/**
 * Reads the window once: months that are dropped later were past it already, as their retention is longer.
 * They reach into it where it was widened, or retention shortened, before this process began.
 */
function keptWindowReader({ database, window, logger }: MeteringContext) {
  let keptSince: Instant | undefined;
  return async (now: Instant): Promise<EventWindow> => {
    if (keptSince === undefined) {
      keptSince = (await usagePastUntil(database, null)) ?? Number.NEGATIVE_INFINITY;
      if (keptSince > earliestOf(window, now)) {
        logger.warn(
          { keptSince: new Date(keptSince), maxBehindMs: window.maxBehindMs },
          "events that occurred before usage is kept become dead letters, although they are young enough: a repeat of one could not be told",
        );
      }
    }
    return windowOfKept(window, keptSince, now);
  };
}
