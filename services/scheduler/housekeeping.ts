import type { Kafka } from "kafkajs";
import { housekeepingRules, type RetentionSettings } from "../../shared/core/history/retention.ts";
import { readPartitionEnds } from "../../shared/kafka/client/partition-ends.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { readCompleteUntil } from "../../shared/ledger/books/usage-complete.ts";
import type { FirstOffsets } from "../../shared/ledger/housekeeping/delete-old-rows.ts";
import { keepHouse } from "../../shared/ledger/housekeeping/keep-house.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { ServiceContext } from "../../shared/runtime/run-service.ts";

interface HousekeepingContext extends Pick<ServiceContext, "logger" | "stopping"> {
  readonly database: Database;
  readonly kafka: Kafka;
  readonly waits: OutageRetry;
  readonly retention: RetentionSettings;
}

/** The next run continues what is left by then. */
const LONGEST_MS = 5 * 60_000;

/**
 * Makes the run that deletes what is past its retention, and logs the number of rows by table. Several
 * schedulers may run it at once.
 */
export function housekeeping(context: HousekeepingContext): () => Promise<void> {
  const { database, kafka, waits, logger, stopping } = context;
  const rules = housekeepingRules(context.retention);
  return async () => {
    try {
      await waits.untilUp("Postgres and Kafka", async () => {
        const signal = AbortSignal.any([stopping, AbortSignal.timeout(LONGEST_MS)]);
        const now = Date.now();
        const state = {
          now,
          completeUntil: await readCompleteUntil(database, now),
          firstOffsets: await readFirstOffsets(kafka),
        };
        for await (const run of keepHouse(database, rules, state, signal)) {
          const { table, keptFor, finished } = run;
          const before = run.before === null ? null : new Date(run.before).toISOString();
          const deleted = Number(run.deleted);
          const done = { table, keptFor, before, deleted, finished };
          logger.info(done, "rows past their retention deleted");
        }
      });
    } catch (error) {
      if (!stopping.aborted)
        logger.error({ err: error }, "housekeeping failed; the next run tries again");
    }
  };
}

/** The first offset that each partition of the usage topic still has. */
export async function readFirstOffsets(kafka: Kafka): Promise<FirstOffsets> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ends = await readPartitionEnds(admin);
    return new Map(ends.map(({ partition, low }) => [partition, low]));
  } finally {
    await admin.disconnect();
  }
}
