import type { Instant } from "../../shared/core/line/account.ts";
import { GRACE_MS } from "../../shared/core/month/expiry.ts";
import { formatCredits } from "../../shared/core/text/credits-text.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { readCompleteUntil } from "../../shared/ledger/books/usage-complete.ts";
import { retryResolved } from "../../shared/ledger/dead-letters/retry-resolved.ts";
import { countDue } from "../../shared/ledger/month/count-due.ts";
import {
  addTotals,
  EMPTY_TOTALS,
  type RunTotals,
  runSchedule,
  type Sum,
} from "../../shared/ledger/month/run-schedule.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { ServiceContext } from "../../shared/runtime/run-service.ts";

interface RunParts extends Pick<ServiceContext, "logger" | "stopping"> {
  readonly database: Database;
  readonly waits: OutageRetry;
  readonly noticeWithinMs: number;
}

/** Metering notes every few seconds that usage is complete; after this long it is said to stand still. */
const STANDS_STILL_AFTER_MS = 60_000;
/** What waits is counted up to here. */
const MOST_COUNTED = 10_000;

/**
 * Makes the scheduler's run: settles what is due, gives notice, asks for the dead letters to be retried
 * whose account, meter or price exists by now, and logs what it did. An outage of
 * Postgres is waited out; any other failure is logged, and the next run tries again. Asked to stop,
 * it ends after the transaction that is under way.
 */
export function schedulerRun(parts: RunParts): () => Promise<void> {
  const { database, waits, logger, stopping } = parts;
  return async () => {
    const startedAt = performance.now();
    let done = EMPTY_TOTALS;
    let retries = 0;
    try {
      // Broken off, it begins anew: what was done before is not due any more.
      await waits.untilUp("Postgres", async () => {
        const clock = Date.now();
        const completeUntil = await readCompleteUntil(database);
        const { noticeWithinMs } = parts;
        const run = { clock, completeUntil: notAfter(completeUntil, clock), noticeWithinMs };
        for await (const step of runSchedule(database, run)) {
          done = addTotals(done, step.done);
          if (stopping.aborted) return;
        }
        for await (const asked of retryResolved(database, clock)) {
          retries += asked;
          if (stopping.aborted) return;
        }
        await sayWhatWaits(parts, clock, completeUntil);
      });
    } catch (error) {
      if (stopping.aborted) return;
      logger.error({ err: error }, "the run has failed; the next one tries again");
    }
    logger.info(
      { ...inCredits(done), retries, ms: Math.round(performance.now() - startedAt) },
      "run",
    );
  };
}

/** Another machine's clock may be ahead of ours. */
function notAfter(completeUntil: Instant | null, clock: Instant): Instant | null {
  return completeUntil === null ? null : Math.min(completeUntil, clock);
}

/** Expiries and add-on charges wait while metering does not get to the end of the usage topic. */
async function sayWhatWaits(
  { database, logger }: RunParts,
  clock: Instant,
  completeUntil: Instant | null,
): Promise<void> {
  const readAt = completeUntil === null ? null : completeUntil + GRACE_MS;
  if (readAt !== null && clock - readAt < STANDS_STILL_AFTER_MS) return;
  const { count, since } = await countDue(database, clock, MOST_COUNTED);
  if (since === null) return;
  logger.warn(
    {
      accounts: count,
      ...(count === MOST_COUNTED ? { orMore: true } : {}),
      dueSince: new Date(since).toISOString(),
      usageReadAt: readAt === null ? null : new Date(readAt).toISOString(),
    },
    "expiries and add-on charges wait until metering has read all usage",
  );
}

function inCredits({ grants, expiries, charges, notices, ...counts }: RunTotals) {
  return {
    ...counts,
    grants: sumInCredits(grants),
    expiries: sumInCredits(expiries),
    charges: sumInCredits(charges),
    notices: sumInCredits(notices),
  };
}

function sumInCredits({ count, credits }: Sum) {
  return { count, credits: formatCredits(credits) };
}
