import type { MicroCredits } from "../../core/line/credit-line.ts";
import { budgetSpends } from "../../core/usage/budget-spend.ts";
import { type AccountGroups, groupByAccount } from "../../core/usage/group-columns.ts";
import { firstLines, occurredAtAt, type UsageColumns } from "../../core/usage/usage-columns.ts";
import { MOST_AHEAD_MS } from "../../core/usage/usage-event.ts";
import { raiseBudgetAlerts } from "../alerts/budget-alerts.ts";
import { raiseMonthAlerts } from "../alerts/month-alerts.ts";
import { advanceOffsets, lockOffsets } from "../books/consumer-offset.ts";
import {
  type Database,
  inTransaction,
  isTransient,
  sqlState,
  type Transaction,
  tableOf,
  UNIQUE_VIOLATION,
} from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { addBudgetSpend } from "./add-budget-spend.ts";
import { addSpend } from "./add-spend.ts";
import { addMonth, lacksMonth } from "./add-usage-month.ts";
import {
  type DebitOutcome,
  describeBatch,
  type RunOutcome,
  type UsageBatch,
  type UsageRun,
} from "./batch.ts";
import { writeCarried, writeMonths } from "./carried.ts";
import { columnKeys } from "./column-keys.ts";
import { type DeadLetter, storeDeadLetters } from "./dead-letters.ts";
import { type Generations, isIdentities, readGenerations } from "./identities.ts";
import type { EventsToFind } from "./records.ts";
import { type MeteredBatch, writeUsage } from "./write-usage.ts";

/** Tries lost to other writers, before the batch locks its accounts, and before it fails. */
const TRIES_BEFORE_LOCKING = 3;
const TRIES = 20;

/** One try at a batch: the events that the books have not read yet. */
export interface Try extends EventsToFind {
  /** All of their lines, by account. */
  readonly groups: AccountGroups;
  readonly generations: Generations;
  /** Look all events up first, because some may be repeats. */
  readonly lookUp: boolean;
  /** Lock the accounts when they are read, so that no other writer can come first. */
  readonly lock: boolean;
}

/**
 * Takes a batch into the books exactly once, in one transaction, however often messages are delivered.
 * `meter` prices its events and moves their accounts; null: an account had moved since it was read, and
 * the batch is rolled back and retried, in the end with its accounts locked from the start. Source:
 * README.md beside this file.
 */
export async function exactlyOnce(
  database: Database,
  batch: UsageBatch,
  meter: (transaction: Transaction, once: Try) => Promise<MeteredBatch | null>,
): Promise<DebitOutcome> {
  const keys = columnKeys(batch.columns);
  let attempt: Attempt = { lookUp: batch.expectRepeats, mayClash: false, lost: 0 };
  while (attempt.lost < TRIES) {
    const { lookUp, mayClash, lost } = attempt;
    const lock = lost >= TRIES_BEFORE_LOCKING;
    try {
      const outcome = await inTransaction(database, (transaction) =>
        tryOnce(transaction, { ...batch, keys, mayClash }, (unread) =>
          meter(transaction, { ...unread, lookUp, lock }),
        ),
      );
      batch.onStep?.("commit");
      return outcome;
    } catch (error) {
      attempt = afterFailure(attempt, error);
      batch.onStep?.("lost");
      if (lacksMonth(error)) await addMonth(database, batch.now);
    }
  }
  throw new Error(
    `${describeBatch(batch)}: lost ${TRIES} times to other writers of the same accounts`,
  );
}

/** How a batch is tried, by what the tries before have shown. */
interface Attempt extends Pick<Try, "lookUp"> {
  /** The unique key has failed although all events were looked up: different events have the same one. */
  readonly mayClash: boolean;
  readonly lost: number;
}

/** How to try again; throws what another try would not get over. */
function afterFailure(attempt: Attempt, error: unknown): Attempt {
  if (isRepeat(error) && !attempt.lookUp) return { ...attempt, lookUp: true };
  if (isRepeat(error) && !attempt.mayClash) return { ...attempt, mayClash: true };
  if (lacksMonth(error) || isLostRace(error)) return { ...attempt, lost: attempt.lost + 1 };
  throw error;
}

/** Another writer moved one of the accounts between reading and writing it. */
class AccountMoved extends Error {}

function isRepeat(error: unknown): boolean {
  return sqlState(error) === UNIQUE_VIOLATION && isIdentities(tableOf(error));
}

/** Another writer came first: it moved an account, or metered an event after this try looked for it. */
function isLostRace(error: unknown): boolean {
  return (
    error instanceof AccountMoved || isTransient(error) || sqlState(error) === UNIQUE_VIOLATION
  );
}

async function tryOnce(
  transaction: Transaction,
  batch: UsageBatch & Pick<Try, "keys"> & { readonly mayClash: boolean },
  meter: (unread: Omit<Try, "lookUp" | "lock">) => Promise<MeteredBatch | null>,
): Promise<DebitOutcome> {
  const { reader, now, runs, columns, keys, mayClash } = batch;
  const firsts = new Map(runs.map((run) => [run.partition, run.fetchedFrom]));
  const [offsets, generations] = await together([
    lockOffsets(transaction, reader, firsts),
    readGenerations(transaction),
  ]);
  batch.onStep?.("lock");
  const outcomes = runs.map((run) => outcomeOf(run, offsets));
  const unread = runs.filter((_, index) => outcomes[index]?.kind === "committed");
  if (unread.length === 0) {
    return { ...NOTHING, runs: outcomes };
  }
  const lines = unreadLines(columns, unread, offsets);
  const groups = groupByAccount(columns, lines);
  const places = firstLines(columns, lines);
  const old = oldAmong(columns, places, generations);
  const metering = await meter({ columns, keys, places, old, groups, generations });
  if (metering === null) throw new AccountMoved(`${describeBatch(batch)}: an account keeps moving`);
  const unfit = unread.flatMap(({ partition, deadLetters }) =>
    deadLetters.filter(({ offset }) => offset >= offsetOf(offsets, partition)),
  );
  const deadLetters = [...unfit, ...rejectedBy(metering, batch)];

  const advances = unread.map(({ partition, nextOffset }) => {
    return { partition, from: offsetOf(offsets, partition), to: nextOffset };
  });
  const spent = budgetSpends(metering);
  const watched = metering.accounts.filter(({ alertAt }) => alertAt !== null);
  await together([
    metering.written,
    writeUsage(transaction, metering, { generations, keys, mayClash, meteredAt: now }),
    storeDeadLetters(transaction, deadLetters),
    addSpend(transaction, metering.spends),
    addBudgetSpend(transaction, spent, new Set(watched.map(({ accountId }) => accountId))),
    writeCarried(transaction, metering.carried),
    writeMonths(transaction, metering.months),
    advanceOffsets(transaction, reader, advances),
  ]);
  await raiseMonthAlerts(transaction, metering, now);
  await raiseBudgetAlerts(transaction, metering, spent, now);
  batch.onStep?.("write");
  return {
    runs: outcomes,
    metered: metering.drawn.length + (metering.columns?.events ?? 0),
    repeats: metering.repeats,
    deadLetters: deadLetters.length,
    rejected: byReason(deadLetters),
    lowBalances: metering.lowBalances.length,
    credits: creditsOf(metering),
  };
}

const NOTHING: Omit<DebitOutcome, "runs"> = {
  ...{ metered: 0, repeats: 0, deadLetters: 0, lowBalances: 0 },
  ...{ rejected: new Map(), credits: 0n },
};

/** Sums what each account drew, and event by event only those that were not drawn in columns. */
function creditsOf({ drawn, columns }: MeteredBatch): MicroCredits {
  // Sums of doubles: one of bigints for each account would show in the time of large batches.
  const inColumns = (columns?.stretches ?? []).reduce(
    (sum, { start, end }) => sum + (end - start),
    0,
  );
  return drawn.reduce((sum, { credits }) => sum + credits, BigInt(inColumns));
}

function byReason(deadLetters: readonly DeadLetter[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { rejection } of deadLetters) {
    counts.set(rejection.reason, (counts.get(rejection.reason) ?? 0) + 1);
  }
  return counts;
}

/** The places of what the books have not read of these runs. */
function unreadLines(
  columns: UsageColumns,
  runs: readonly UsageRun[],
  offsets: ReadonlyMap<number, bigint>,
): Int32Array {
  const places = new Int32Array(runs.reduce((sum, { from, to }) => sum + to - from, 0));
  let count = 0;
  for (const run of runs) {
    const next = Number(offsetOf(offsets, run.partition));
    for (let place = run.from; place < run.to; place += 1) {
      if ((columns.offset[place] ?? 0) >= next) places[count++] = place;
    }
  }
  return places.subarray(0, count);
}

/** The places of events that may have been metered without an identity that is kept. */
function oldAmong(
  columns: UsageColumns,
  places: Int32Array,
  { completeSince }: Generations,
): readonly number[] {
  if (completeSince === null) return [];
  const until = completeSince + MOST_AHEAD_MS;
  return Array.from(places.filter((place) => occurredAtAt(columns, place) < until));
}

function outcomeOf(run: UsageRun, offsets: ReadonlyMap<number, bigint>): RunOutcome {
  const nextOffset = offsetOf(offsets, run.partition);
  if (run.fetchedFrom > nextOffset) return { kind: "gap", nextOffset };
  if (run.nextOffset <= nextOffset) return { kind: "read_before", nextOffset };
  return { kind: "committed" };
}

function offsetOf(offsets: ReadonlyMap<number, bigint>, partition: number): bigint {
  const offset = offsets.get(partition);
  if (offset === undefined) throw new Error(`the offset row of partition ${partition} is gone`);
  return offset;
}

function rejectedBy({ rejected }: MeteredBatch, { reader, runs, now }: UsageBatch): DeadLetter[] {
  return rejected.map(({ event, rejection }) => {
    const { partition, offset, accountId, meter, occurredAt } = event;
    const message = runs.find((run) => run.partition === partition)?.messageAt(offset);
    if (message === undefined) throw new Error(`no run of partition ${partition}`);
    const { key, value: payload } = message;
    const place = { topic: reader.topic, partition, offset };
    const about = { accountId, meter: rejection.meter ?? meter, occurredAt };
    return { ...place, ...about, rejection, key, payload, recordedAt: now };
  });
}
