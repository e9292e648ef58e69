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
import { eraseAgain } from "../../shared/ledger/privacy/erase-again.ts";
import type { ServiceContext } from "../../shared/runtime/run-service.ts";

interface RunContext extends Pick<ServiceContext, "logger" | "stopping"> {
  readonly database: Database;
  readonly waits: OutageRetry;
  readonly noticeWithinMs: number;
  /** Called after each of its transactions. */
  onStep?(): void;
}

/** Metering records every few seconds that usage is complete; after this long it counts as stalled. */
const STALLED_AFTER_MS = 60_000;
const MOST_COUNTED = 10_000;

/**
 * Makes the scheduler's run: settles what is due, publishes expiry notices, raises alerts of short runways, requests
 * retries of dead letters whose account, meter or price now exists, erases what has come to erased accounts, and logs
 * a summary. It waits out an outage of Postgres; any other failure is logged, and the next run tries again. When
 * stopping, it ends after the current transaction.
 */
export function schedulerRun(context: RunContext): () => Promise<void> {
  const { database, waits, logger, stopping } = context;
  return async () => {
    const startedAt = performance.now();
    let done = EMPTY_TOTALS;
    let retries = 0;
    let erased = 0;
    try {
      // After an outage it begins again; what it has done is no longer due.
      await waits.untilUp("Postgres", async () => {
        const clock = Date.now();
        const completeUntil = await readCompleteUntil(database, clock);
        const { noticeWithinMs } = context;
        const run = { clock, completeUntil, noticeWithinMs };
        for await (const step of runSchedule(database, run)) {
          done = addTotals(done, step.done);
          context.onStep?.();
          if (stopping.aborted) return;
        }
        for await (const requested of retryResolved(database, clock)) {
          retries += requested;
          context.onStep?.();
          if (stopping.aborted) return;
        }
        erased += await eraseWhatCame(context, clock);
        await warnOfWaiting(context, clock, completeUntil);
      });
    } catch (error) {
      if (stopping.aborted) return;
      logger.error({ err: error }, "the run failed; the next one tries again");
    }
    logger.info(
      { ...inCredits(done), retries, erased, ms: Math.round(performance.now() - startedAt) },
      "run",
    );
  };
}

/** Returns the number of erased accounts to which something personal had come. */
async function eraseWhatCame(
  { database, stopping, onStep }: RunContext,
  clock: Instant,
): Promise<number> {
  let erased = 0;
  for await (const isErased of eraseAgain(database, clock)) {
    if (isErased) erased += 1;
    onStep?.();
    if (stopping.aborted) break;
  }
  return erased;
}

/** Expiries and add-on charges wait until metering has read to the end of the usage topic. */
async function warnOfWaiting(
  { database, logger }: RunContext,
  clock: Instant,
  completeUntil: Instant | null,
): Promise<void> {
  const readAt = completeUntil === null ? null : completeUntil + GRACE_MS;
  if (readAt !== null && clock - readAt < STALLED_AFTER_MS) return;
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
