import type { Account, Instant } from "../core/account.ts";
import { EMPTY_CATALOGUE } from "../core/catalogue.ts";
import {
  accountsDue,
  type Metering,
  type MeteringContext,
  meterUsage,
} from "../core/meter-usage.ts";
import type { RateCard } from "../core/rate-card.ts";
import type { ReceivedEvent } from "../core/usage-event.ts";
import { addSpend } from "./add-spend.ts";
import { readCatalogue } from "./catalogue.ts";
import { advanceOffsets, lockOffsets, type Reader } from "./consumer-offset.ts";
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
import { postMovement } from "./post-movement.ts";
import { readAccounts } from "./read-accounts.ts";
import { readBooks } from "./read-books.ts";
import { readCompleteUntil } from "./usage-complete.ts";
import { findRecorded, writeUsageRecords } from "./usage-records.ts";
import { writeDraws } from "./write-draws.ts";

/** What one transaction meters: a run of messages of one partition, or of several. */
export interface UsageBatch {
  readonly reader: Reader;
  readonly now: Instant;
  /** One for each partition. */
  readonly runs: readonly UsageRun[];
  /** Repeats are likely: look identities up before writing, rather than when writing has failed. */
  readonly expectRepeats: boolean;
}

/** A run of messages of one partition. */
export interface UsageRun {
  readonly partition: number;
  /** The offset that the fetch asked for: everything from here to `nextOffset` is in the run. */
  readonly fetchedFrom: bigint;
  /** The first offset after the run. */
  readonly nextOffset: bigint;
  /** Events that `rejectEvent` let pass, in offset order. */
  readonly events: readonly ReceivedEvent[];
  /** Messages already known not to be fit for metering. */
  readonly deadLetters: readonly DeadLetter[];
  /** The message at an offset, for events found unfit only now. */
  messageAt(offset: bigint): { readonly key: Buffer | null; readonly value: Buffer };
}

export interface DebitOutcome {
  /** What became of each run, in their order. */
  readonly runs: readonly RunOutcome[];
  readonly metered: number;
  readonly repeats: number;
  readonly deadLetters: number;
  readonly lowBalances: number;
}

export type RunOutcome =
  | { readonly kind: "committed" }
  /** All of it was read before, by this consumer or by one that took the partition over. */
  | { readonly kind: "read_before"; readonly nextOffset: bigint }
  /** The books have not read up to where the run starts; read from `nextOffset`. */
  | { readonly kind: "gap"; readonly nextOffset: bigint };

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

type ReadRates = (transaction: Transaction) => Promise<RateCard>;

function isSingle({ runs }: UsageBatch): boolean {
  return runs.length <= 1 && runs.every((run) => run.nextOffset - run.fetchedFrom <= 1n);
}

function namesOf({ reader, runs }: UsageBatch): string {
  return runs
    .map((run) => `${reader.topic}/${run.partition} from ${run.fetchedFrom} to ${run.nextOffset}`)
    .join(", ");
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

function partOf(run: UsageRun, from: bigint, to: bigint): UsageRun {
  const within = ({ offset }: { readonly offset: bigint }) => offset >= from && offset < to;
  return {
    ...run,
    fetchedFrom: from,
    nextOffset: to,
    events: run.events.filter(within),
    deadLetters: run.deadLetters.filter(within),
  };
}

function sumOf(a: DebitOutcome, b: DebitOutcome): Omit<DebitOutcome, "runs"> {
  return {
    metered: a.metered + b.metered,
    repeats: a.repeats + b.repeats,
    deadLetters: a.deadLetters + b.deadLetters,
    lowBalances: a.lowBalances + b.lowBalances,
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
  const metering = await meter(transaction, readRates, events, now, lookUp);
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
  const read = { now, rates, accounts, ...(await readDue(transaction, events, accounts, now)) };
  const metering = meterUsage(events, { ...read, recorded });
  if (recorded !== null || metering.rejected.length === 0) return metering;
  // What cannot be metered never meets the unique key, so whether it is a conflict must be looked up.
  const rejected = metering.rejected.map(({ event }) => event);
  const known = await findRecorded(transaction, rejected);
  return meterUsage(events, { ...read, recorded: known });
}

/** What settling needs, read only when something may be due. */
async function readDue(
  transaction: Transaction,
  events: readonly ReceivedEvent[],
  accounts: ReadonlyMap<string, Account>,
  now: Instant,
): Promise<Pick<MeteringContext, "books" | "catalogue" | "completeUntil">> {
  const due = accountsDue(events, accounts, now);
  if (due.length === 0) {
    return { books: new Map(), catalogue: EMPTY_CATALOGUE, completeUntil: null };
  }
  return {
    books: await readBooks(transaction, due),
    catalogue: await readCatalogue(transaction),
    completeUntil: await readCompleteUntil(transaction),
  };
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
