import type { Metering } from "../../core/usage/events-in-batch.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
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
import { addSpend } from "./add-spend.ts";
import {
  type DebitOutcome,
  describeBatch,
  type RunOutcome,
  type UsageBatch,
  type UsageRun,
} from "./batch.ts";
import { writeCarried } from "./carried.ts";
import { type DeadLetter, storeDeadLetters } from "./dead-letters.ts";
import { writeUsageRecords } from "./records.ts";
import { writeDraws } from "./write-draws.ts";

/** Tries lost to other writers, before the batch locks its accounts, and before it fails. */
const TRIES_BEFORE_LOCKING = 3;
const TRIES = 20;

/** One try at a batch. */
export interface Try {
  /** The events that the books have not read yet. */
  readonly events: readonly ReceivedEvent[];
  /** Look the events up first, because some may be repeats. */
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
  meter: (transaction: Transaction, once: Try) => Promise<Metering<ReceivedEvent> | null>,
): Promise<DebitOutcome> {
  let lookUp = batch.expectRepeats;
  for (let lost = 0; lost < TRIES; ) {
    const lock = lost >= TRIES_BEFORE_LOCKING;
    try {
      return await inTransaction(database, (transaction) =>
        tryOnce(transaction, batch, (events) => meter(transaction, { events, lookUp, lock })),
      );
    } catch (error) {
      if (isRepeat(error) && !lookUp) lookUp = true;
      else if (isLostRace(error)) lost += 1;
      else throw error;
    }
  }
  throw new Error(
    `${describeBatch(batch)}: lost ${TRIES} times to other writers of the same accounts`,
  );
}

/** Another writer moved one of the accounts between reading and writing it. */
class AccountMoved extends Error {}

function isRepeat(error: unknown): boolean {
  return sqlState(error) === UNIQUE_VIOLATION && tableOf(error) === "usage_record";
}

/** Another writer came first; its draw, spend or entry may have taken the key of this one's. */
function isLostRace(error: unknown): boolean {
  return (
    error instanceof AccountMoved || isTransient(error) || sqlState(error) === UNIQUE_VIOLATION
  );
}

async function tryOnce(
  transaction: Transaction,
  batch: UsageBatch,
  meter: (events: readonly ReceivedEvent[]) => Promise<Metering<ReceivedEvent> | null>,
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

  const metering = await meter(unread.flatMap((run) => run.events).filter(isUnread));
  if (metering === null) throw new AccountMoved(`${describeBatch(batch)}: an account keeps moving`);
  const unfit = unread.flatMap((run) => run.deadLetters).filter(isUnread);
  const deadLetters = [...unfit, ...rejectedBy(metering, batch)];

  await writeUsageRecords(transaction, metering.drawn, now);
  await writeDraws(transaction, metering.draws, metering.accounts, now);
  await storeDeadLetters(transaction, deadLetters);
  await addSpend(transaction, metering.spends);
  await writeCarried(transaction, metering.carried);
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
    const { key, value: payload } = message;
    const place = { topic: reader.topic, partition, offset };
    return { ...place, accountId, meter, occurredAt, rejection, key, payload, recordedAt: now };
  });
}
