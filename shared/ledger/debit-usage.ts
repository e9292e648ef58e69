import type { Instant } from "../core/account.ts";
import { EMPTY_CATALOGUE } from "../core/catalogue.ts";
import { accountsDue, type Metering, meterUsage } from "../core/meter-usage.ts";
import type { RateCard } from "../core/rate-card.ts";
import { EMPTY_SCHEDULE } from "../core/subscription.ts";
import type { ReceivedEvent } from "../core/usage-event.ts";
import { addSpend } from "./add-spend.ts";
import { noteBalanceChanges } from "./balance-changes.ts";
import { advanceOffset, lockOffset, type Place } from "./consumer-offset.ts";
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
import { moveLots } from "./move-lots.ts";
import { putInOutbox } from "./outbox.ts";
import { lowBalanceRecord } from "./outbox-records.ts";
import { postEntries } from "./post-entries.ts";
import { readAccounts } from "./read-accounts.ts";
import { readLiveLots } from "./read-lots.ts";
import { updateAccounts } from "./update-accounts.ts";
import { findRecorded, writeUsageRecords } from "./usage-records.ts";
import { writeDraws } from "./write-draws.ts";

/** What one transaction meters: a run of messages of one partition. */
export interface UsageBatch {
  readonly place: Place;
  /** The offset that the fetch asked for: everything from here to `nextOffset` is in the batch. */
  readonly fetchedFrom: bigint;
  /** The first offset after the batch. */
  readonly nextOffset: bigint;
  readonly now: Instant;
  /** Events that `rejectEvent` let pass, in offset order. */
  readonly events: readonly ReceivedEvent[];
  /** Messages already known not to be fit for metering. */
  readonly deadLetters: readonly DeadLetter[];
  /** The message at an offset, for events found unfit only now. */
  messageAt(offset: bigint): { readonly key: Buffer | null; readonly value: Buffer };
  /** Repeats are likely: look identities up before writing, rather than when writing has failed. */
  readonly expectRepeats: boolean;
}

export type DebitOutcome =
  | {
      readonly kind: "committed";
      readonly metered: number;
      readonly repeats: number;
      readonly deadLetters: number;
      readonly lowBalances: number;
    }
  /** All of it was read before, by this consumer or by one that took the partition over. */
  | { readonly kind: "read_before"; readonly nextOffset: bigint }
  /** The books have not read up to where the batch starts; read from `nextOffset`. */
  | { readonly kind: "gap"; readonly nextOffset: bigint };

/** Tries at a batch, each lost to another writer, before it is halved; of a single event, before it counts as failed. */
const TRIES_AT_A_BATCH = 3;
const TRIES_AT_AN_EVENT = 100;

/**
 * Meters a batch exactly once, whatever is delivered how often: in one transaction, or, where others
 * keep moving its accounts, in several smaller ones that are open for less long.
 *
 * The offset row is locked first; what lies below it was metered before. Accounts are read with
 * their versions and written by compare-and-set, so an account that moved meanwhile rolls the batch
 * back and it runs again. Source: README.md beside this file.
 */
export async function debitUsage(
  database: Database,
  readRates: ReadRates,
  batch: UsageBatch,
): Promise<DebitOutcome> {
  const single = batch.nextOffset - batch.fetchedFrom <= 1n;
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
  if (single) throw new Error(`offset ${batch.fetchedFrom}: its account keeps moving`);
  return debitHalves(database, readRates, batch);
}

type ReadRates = (transaction: Transaction) => Promise<RateCard>;

async function debitHalves(
  database: Database,
  readRates: ReadRates,
  batch: UsageBatch,
): Promise<DebitOutcome> {
  const middle = (batch.fetchedFrom + batch.nextOffset) / 2n;
  const head = await debitUsage(database, readRates, {
    ...batch,
    nextOffset: middle,
    events: batch.events.filter(({ offset }) => offset < middle),
    deadLetters: batch.deadLetters.filter(({ offset }) => offset < middle),
  });
  if (head.kind === "gap") return head;
  const tail = await debitUsage(database, readRates, {
    ...batch,
    fetchedFrom: middle,
    events: batch.events.filter(({ offset }) => offset >= middle),
    deadLetters: batch.deadLetters.filter(({ offset }) => offset >= middle),
  });
  if (head.kind !== "committed" || tail.kind !== "committed") return tail;
  return {
    kind: "committed",
    metered: head.metered + tail.metered,
    repeats: head.repeats + tail.repeats,
    deadLetters: head.deadLetters + tail.deadLetters,
    lowBalances: head.lowBalances + tail.lowBalances,
  };
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
  const { place, now } = batch;
  const from = await lockOffset(transaction, place, batch.fetchedFrom);
  if (batch.fetchedFrom > from) return { kind: "gap", nextOffset: from };
  if (batch.nextOffset <= from) return { kind: "read_before", nextOffset: from };

  const events = batch.events.filter((event) => event.offset >= from);
  const unfit = batch.deadLetters.filter((letter) => letter.offset >= from);
  const metering = await meter(transaction, readRates, events, now, lookUp);
  const deadLetters = [...unfit, ...rejectedBy(metering, batch)];

  await writeUsageRecords(transaction, metering.drawn, place.partition, now);
  await writeDraws(transaction, metering.draws, metering.accounts, now);
  await storeDeadLetters(transaction, deadLetters);
  await postEntries(transaction, metering.entries, metering.accounts, now);
  await moveLots(transaction, metering.movedLots);
  await putInOutbox(transaction, metering.lowBalances.map(lowBalanceRecord));
  await addSpend(transaction, metering.spends);
  await noteBalanceChanges(transaction, metering.accounts);
  if (!(await updateAccounts(transaction, metering.accounts))) {
    throw new AccountMoved(`an account of ${place.topic}/${place.partition} keeps moving`);
  }
  await advanceOffset(transaction, place, from, batch.nextOffset);
  return {
    kind: "committed",
    metered: metering.drawn.length,
    repeats: metering.repeats,
    deadLetters: deadLetters.length,
    lowBalances: metering.lowBalances.length,
  };
}

async function meter(
  transaction: Transaction,
  readRates: ReadRates,
  events: readonly ReceivedEvent[],
  now: Instant,
  lookUp: boolean,
): Promise<Metering<ReceivedEvent>> {
  const rates = await readRates(transaction);
  const recorded = lookUp ? await findRecorded(transaction, events) : null;
  const accounts = await readAccounts(transaction, new Set(events.map((event) => event.accountId)));
  const due = accountsDue(events, accounts, now);
  const lots = await readLiveLots(transaction, due);
  const books = new Map(
    due.map((id) => [id, { lots: lots.get(id) ?? [], schedule: EMPTY_SCHEDULE }]),
  );
  const read = { now, rates, catalogue: EMPTY_CATALOGUE, completeUntil: null, accounts, books };
  const metering = meterUsage(events, { ...read, recorded });
  if (recorded !== null || metering.rejected.length === 0) return metering;
  // What cannot be metered never meets the unique key, so whether it is a conflict must be looked up.
  const rejected = metering.rejected.map(({ event }) => event);
  const known = await findRecorded(transaction, rejected);
  return meterUsage(events, { ...read, recorded: known });
}

function rejectedBy(metering: Metering<ReceivedEvent>, batch: UsageBatch): DeadLetter[] {
  return metering.rejected.map(({ event, rejection }) => {
    const { key, value } = batch.messageAt(event.offset);
    return {
      topic: batch.place.topic,
      partition: batch.place.partition,
      offset: event.offset,
      accountId: event.accountId,
      rejection,
      key,
      payload: value,
      recordedAt: batch.now,
    };
  });
}
