import type { Instant } from "../../../shared/core/line/account.ts";
import { GRACE_MS } from "../../../shared/core/month/expiry.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { USAGE_READER } from "../../../shared/core/text/topics.ts";
import { areRead, readAllEnds } from "../../../shared/kafka/client/partition-ends.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import { readCompleteUntil } from "../../../shared/ledger/books/usage-complete.ts";
import { countDue } from "../../../shared/ledger/month/count-due.ts";
import {
  addTotals,
  EMPTY_TOTALS,
  previewSchedule,
  type RunTotals,
  runSchedule,
  type ScheduleRun,
} from "../../../shared/ledger/month/run-schedule.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { instantArgument } from "../shell/arguments.ts";
import { interruptible, isConfirmed } from "../shell/confirm.ts";
import { addressesOf, probe, probeKafka } from "../shell/probe-parts.ts";
import { openProgress } from "../shell/progress.ts";
import { type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import { type Ran, ranText, schedulerRun, toSchedulerRun } from "./scheduler-run-text.ts";

/** An instant this far in the past still counts as now. */
const STILL_NOW_MS = 60_000;
/** The most due accounts that are counted. */
const MOST_COUNTED = 10_000_000;

interface RunAs {
  /** An instant; default: now. */
  readonly at?: string;
  /** Only shows what it would do. */
  readonly dryRun?: boolean;
  /** Does not ask before it posts what is not due yet. */
  readonly yes?: boolean;
}

/** Does one run of the scheduler service. Ahead of the clock it asks first, since it cannot be undone. */
export async function runScheduler(
  settings: Settings,
  { at, dryRun = false, yes = false }: RunAs,
): Promise<Result> {
  const now = Date.now();
  const clock = at === undefined ? now : instantArgument("--at", at);
  if (clock < now - STILL_NOW_MS) {
    return refused(`${formatInstant(clock)} is in the past; run without --at to post what is due`);
  }
  if (clock > now && !dryRun && !yes && !(await isAgreed(clock))) {
    return refused("nothing was posted");
  }
  const ran = await withDatabase(settings, async (database): Promise<Ran> => {
    const startedAt = performance.now();
    const usage = await readUsage(settings, database, clock, clock > now);
    const { noticeWithinMs } = settings.scheduler;
    const run = { clock, completeUntil: usage.completeUntil, noticeWithinMs };
    const due = await countDue(database, clock, MOST_COUNTED);
    const done = await watchRun(database, run, due.count, dryRun);
    const waiting = dryRun ? null : await countDue(database, clock, MOST_COUNTED);
    const ms = performance.now() - startedAt;
    return { ...usage, clock, dryRun, done, waiting, ms };
  });
  return shown(schedulerRun, toSchedulerRun(ran), ranText(ran));
}

/** Asks at the terminal; without one, throws WrongUsage. */
async function isAgreed(clock: Instant): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new WrongUsage(
      "it asks before it posts what is not due yet, which cannot be undone; without a terminal, add --yes or --dry-run",
    );
  }
  const question = `Post on all accounts what falls due until ${formatInstant(clock)}? It cannot be undone.`;
  return await interruptible((signal) => isConfirmed(question, signal));
}

async function watchRun(
  database: Database,
  run: ScheduleRun,
  due: number,
  dryRun: boolean,
): Promise<RunTotals> {
  using progress = openProgress(due, countOf(due, "account"));
  const steps = (dryRun ? previewSchedule : runSchedule)(database, run);
  let done = EMPTY_TOTALS;
  for await (const step of steps) {
    done = addTotals(done, step.done);
    progress.add(step.read);
  }
  return done;
}

/**
 * Up to where usage is complete, and why it is not complete up to the clock. With the clock ahead,
 * no usage can have occurred since, so it is complete once metering has read every partition.
 */
async function readUsage(
  settings: Settings,
  database: Database,
  clock: Instant,
  isAhead: boolean,
): Promise<Pick<Ran, "completeUntil" | "unread">> {
  const completeUntil = await readCompleteUntil(database, clock);
  if (!isAhead) return { completeUntil, unread: null };
  const unread = await whyUnread(settings, database);
  return unread === null
    ? { completeUntil: Math.max(completeUntil ?? 0, clock - GRACE_MS), unread }
    : { completeUntil, unread };
}

/** Null: metering has read every partition to its end. */
async function whyUnread(settings: Settings, database: Database): Promise<string | null> {
  const kafka = await probeKafka(settings);
  const where = `Kafka at ${addressesOf(settings).kafka}`;
  if (!kafka.up) return `${where} cannot be reached: ${kafka.reason}`;
  try {
    const ends = await probe(() => readAllEnds(kafka.found));
    if (!ends.up) return `${where} does not report the end of usage: ${ends.reason}`;
    const isRead =
      ends.found !== null && areRead(ends.found, await readOffsets(database, USAGE_READER));
    return isRead ? null : "metering has not read all usage";
  } finally {
    await kafka.found.disconnect();
  }
}
