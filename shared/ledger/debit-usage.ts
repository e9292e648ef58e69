import type { Metering } from "../core/meter-usage.ts";
import type { ReceivedEvent } from "../core/usage-event.ts";
import { addSpend } from "./add-spend.ts";
import { advanceOffsets, lockOffsets } from "./consumer-offset.ts";
import {
  type Database,
  inTransaction,
  isTransient,
  sqlState,
  type Transaction,
  tableOf,
  UNIQUE_VIOLATION,
} from "./database.ts";
import { type DeadLetter, storeDeadLetters } from "./dead-letters.ts";
import { meterEvents, type ReadRates } from "./meter-events.ts";
import { postMovement } from "./post-movement.ts";
import {
  type DebitOutcome,
  isSingle,
  namesOf,
  partOf,
  type RunOutcome,
  sumOf,
  type UsageBatch,
  type UsageRun,
} from "./usage-batch.ts";
import { writeUsageRecords } from "./usage-records.ts";
import { writeDraws } from "./write-draws.ts";

/** Tries at a batch, each lost to another writer, before it is halved; of a single event, before it counts as failed. */
const TRIES_AT_A_BATCH = 3;
const TRIES_AT_AN_EVENT = 100;

/**
 * Meters a batch exactly once, whatever is delivered how often: in one transaction, or, where others
 * keep moving its accounts, in several smaller ones that are open for less long.
 *
 * The offset rows are locked first; what lies below them was metered before. Accounts are read with
 * their versions and written by compare-and-set, so an account that moved meanwhile rolls the batch
 * back and it runs again. Source: README.md beside this file.
 */
export async function debitUsage(
  database: Database,
  readRates: ReadRates,
  batch: UsageBatch,
): Promise<DebitOutcome> {
  const single = isSingle(batch);
  let lookUp = batch.expectRepeats;
  for (let tries = 0; tries < (single ? TRIES_AT_AN_EVENT : TRIES_AT_A_BATCH); ) {
    try {
      return await inTransaction(database, (transaction) =>
        debitOnce(transaction, readRates, batch, lookUp),
      );
    } catch (error) {
      if (isRepeat(error) && !lookUp) lookUp = true;
      else if (lostTo(error)) tries += 1;
      else throw error;
    }
  }
  if (single) throw new Error(`${namesOf(batch)}: the event's account keeps moving`);
  return debitHalves(database, readRates, batch);
}

/** Several runs are parted, a single one is cut in two. */
async function debitHalves(
  database: Database,
  readRates: ReadRates,
  batch: UsageBatch,
): Promise<DebitOutcome> {
  const { runs } = batch;
  const [run] = runs;
  if (run === undefined) throw new Error("a batch without runs keeps moving");
  const debit = (half: UsageRun[]) => debitUsage(database, readRates, { ...batch, runs: half });
  if (runs.length > 1) {
    const middle = runs.length >> 1;
    const head = await debit(runs.slice(0, middle));
    const tail = await debit(runs.slice(middle));
    return { ...sumOf(head, tail), runs: [...head.runs, ...tail.runs] };
  }
  const middle = (run.fetchedFrom + run.nextOffset) / 2n;
  const head = await debit([partOf(run, run.fetchedFrom, middle)]);
  if (head.runs.some(({ kind }) => kind === "gap")) return head;
  const tail = await debit([partOf(run, middle, run.nextOffset)]);
  return { ...sumOf(head, tail), runs: tail.runs };
}

/** Somebody else moved one of the accounts between reading and writing it. */
class AccountMoved extends Error {}

function isRepeat(error: unknown): boolean {
  return sqlState(error) === UNIQUE_VIOLATION && tableOf(error) === "usage_record";
}

/** Another writer came first; its draw, spend or entry may stand where this one's would. */
function lostTo(error: unknown): boolean {
  return (
    error instanceof AccountMoved || isTransient(error) || sqlState(error) === UNIQUE_VIOLATION
  );
}

async function debitOnce(
  transaction: Transaction,
  readRates: ReadRates,
  batch: UsageBatch,
  lookUp: boolean,
): Promise<DebitOutcome> {
  const { reader, now, runs } = batch;
  const firsts = new Map(runs.map((run) => [run.partition, run.fetchedFrom]));
  const places = await lockOffsets(transaction, reader, firsts);
  const outcomes = runs.map((run) => outcomeOf(run, places));
  const unread = runs.filter((_, index) => outcomes[index]?.kind === "committed");
  if (unread.length === 0) {
    return { runs: outcomes, metered: 0, repeats: 0, deadLetters: 0, lowBalances: 0 };
  }
  const isUnread = ({ partition, offset }: { partition: number; offset: bigint }) =>
    offset >= placeOf(places, partition);

  const events = unread.flatMap((run) => run.events).filter(isUnread);
  const unfit = unread.flatMap((run) => run.deadLetters).filter(isUnread);
  const metering = await meterEvents(transaction, { readRates, now, lookUp }, events);
  const deadLetters = [...unfit, ...rejectedBy(metering, batch)];

  await writeUsageRecords(transaction, metering.drawn, now);
  await writeDraws(transaction, metering.draws, metering.accounts, now);
  await storeDeadLetters(transaction, deadLetters);
  await addSpend(transaction, metering.spends);
  if (!(await postMovement(transaction, metering, now))) {
    throw new AccountMoved(`${namesOf(batch)}: an account keeps moving`);
  }
  await advanceOffsets(
    transaction,
    reader,
    unread.map(({ partition, nextOffset }) => {
      return { partition, from: placeOf(places, partition), to: nextOffset };
    }),
  );
  return {
    runs: outcomes,
    metered: metering.drawn.length,
    repeats: metering.repeats,
    deadLetters: deadLetters.length,
    lowBalances: metering.lowBalances.length,
  };
}

function outcomeOf(run: UsageRun, places: ReadonlyMap<number, bigint>): RunOutcome {
  const nextOffset = placeOf(places, run.partition);
  if (run.fetchedFrom > nextOffset) return { kind: "gap", nextOffset };
  if (run.nextOffset <= nextOffset) return { kind: "read_before", nextOffset };
  return { kind: "committed" };
}

function placeOf(places: ReadonlyMap<number, bigint>, partition: number): bigint {
  const place = places.get(partition);
  if (place === undefined) throw new Error(`the offset row of partition ${partition} is gone`);
  return place;
}

function rejectedBy(
  { rejected }: Metering<ReceivedEvent>,
  { reader, runs, now }: UsageBatch,
): DeadLetter[] {
  return rejected.map(({ event, rejection }) => {
    const { partition, offset, accountId } = event;
    const message = runs.find((run) => run.partition === partition)?.messageAt(offset);
    if (message === undefined) throw new Error(`no run of partition ${partition}`);
    const { key, value } = message;
    return {
      topic: reader.topic,
      partition,
      offset,
      accountId,
      rejection,
      key,
      payload: value,
      recordedAt: now,
    };
  });
}
