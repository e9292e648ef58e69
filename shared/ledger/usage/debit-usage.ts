import type { Metering } from "../../core/usage/meter-usage.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import { advanceOffsets, lockOffsets } from "../books/consumer-offset.ts";
import { postMovement } from "../books/post-movement.ts";
import {
  type Database,
  inTransaction,
  isTransient,
  sqlState,
  type Transaction,
  tableOf,
  UNIQUE_VIOLATION,
} from "../postgres/database.ts";
import { addSpend } from "./add-spend.ts";
import {
  type DebitOutcome,
  namesOf,
  type RunOutcome,
  type UsageBatch,
  type UsageRun,
} from "./batch.ts";
import { type DeadLetter, storeDeadLetters } from "./dead-letters.ts";
import {
  BY_THE_CLOCKS,
  type MeteringNeeds,
  meterEvents,
  type Posting,
  type ReadRates,
} from "./meter-events.ts";
import { writeUsageRecords } from "./records.ts";
import { writeDraws } from "./write-draws.ts";

/** Tries at a batch, each lost to another writer, before its accounts are held; and before it counts as failed. */
const TRIES_BEFORE_HOLDING = 3;
const TRIES = 20;

/**
 * Meters a batch exactly once, in one transaction, whatever is delivered how often.
 *
 * The offset rows are locked first; what lies below them was metered before. Accounts are read with
 * their versions and written by compare-and-set, so an account that moved meanwhile rolls the batch
 * back and it runs again. Where others keep moving its accounts, it holds them from its start on.
 * Source: README.md beside this file.
 */
export async function debitUsage(
  database: Database,
  readRates: ReadRates,
  batch: UsageBatch,
  posting: Posting = BY_THE_CLOCKS,
): Promise<DebitOutcome> {
  let lookUp = batch.expectRepeats;
  for (let lost = 0; lost < TRIES; ) {
    const hold = lost >= TRIES_BEFORE_HOLDING;
    const needs = { readRates, now: batch.now, lookUp, hold, posting };
    try {
      return await inTransaction(database, (transaction) => debitOnce(transaction, needs, batch));
    } catch (error) {
      if (isRepeat(error) && !lookUp) lookUp = true;
      else if (lostTo(error)) lost += 1;
      else throw error;
    }
  }
  throw new Error(`${namesOf(batch)}: lost ${TRIES} times to other writers of the same accounts`);
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
  needs: MeteringNeeds,
  batch: UsageBatch,
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
  const metering = await meterEvents(transaction, needs, events);
  const deadLetters = [...unfit, ...rejectedBy(metering, batch)];

  if (!(await postMovement(transaction, metering, now, needs.posting))) {
    throw new AccountMoved(`${namesOf(batch)}: an account keeps moving`);
  }
  await writeUsageRecords(transaction, metering.drawn, now);
  await writeDraws(transaction, metering.draws, metering.accounts, now);
  await storeDeadLetters(transaction, deadLetters);
  await addSpend(transaction, metering.spends);
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
    const { partition, offset, accountId, meter, occurredAt } = event;
    const message = runs.find((run) => run.partition === partition)?.messageAt(offset);
    if (message === undefined) throw new Error(`no run of partition ${partition}`);
    const { key, value } = message;
    return {
      topic: reader.topic,
      partition,
      offset,
      accountId,
      meter,
      occurredAt,
      rejection,
      key,
      payload: value,
      recordedAt: now,
    };
  });
}
