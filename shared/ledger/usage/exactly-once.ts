import type { Instant } from "../../core/line/account.ts";
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
import { addMonth, lacksMonth } from "./add-usage-month.ts";
import {
  type DebitOutcome,
  describeBatch,
  type RunOutcome,
  type UsageBatch,
  type UsageRun,
} from "./batch.ts";
import { writeCarried } from "./carried.ts";
import { type DeadLetter, storeDeadLetters } from "./dead-letters.ts";
import {
  type Generations,
  identitiesOn,
  isIdentities,
  needsLookUp,
  readGenerations,
  writeIdentities,
} from "./identities.ts";
import { pagesOf, writePages } from "./pages.ts";

/** Tries lost to other writers, before the batch locks its accounts, and before it fails. */
const TRIES_BEFORE_LOCKING = 3;
const TRIES = 20;

/** One try at a batch. */
export interface Try {
  /** The events that the books have not read yet. */
  readonly events: readonly ReceivedEvent[];
  /** Those of them that may have been metered before identities begin. */
  readonly old: readonly ReceivedEvent[];
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
  let { expectRepeats } = batch;
  for (let lost = 0; lost < TRIES; ) {
    const lock = lost >= TRIES_BEFORE_LOCKING;
    try {
      return await inTransaction(database, (transaction) =>
        tryOnce(transaction, { ...batch, expectRepeats }, (unread) =>
          meter(transaction, { ...unread, lock }),
        ),
      );
    } catch (error) {
      if (isRepeat(error) && !expectRepeats) expectRepeats = true;
      else if (lacksMonth(error) || isLostRace(error)) lost += 1;
      else throw error;
      if (lacksMonth(error)) await addMonth(database, batch.now);
    }
  }
  throw new Error(
    `${describeBatch(batch)}: lost ${TRIES} times to other writers of the same accounts`,
  );
}

/** Another writer moved one of the accounts between reading and writing it. */
class AccountMoved extends Error {}

function isRepeat(error: unknown): boolean {
  return sqlState(error) === UNIQUE_VIOLATION && isIdentities(tableOf(error));
}

/** Another writer came first; its spend or entry may have taken the key of this one's. */
function isLostRace(error: unknown): boolean {
  return (
    error instanceof AccountMoved || isTransient(error) || sqlState(error) === UNIQUE_VIOLATION
  );
}

async function tryOnce(
  transaction: Transaction,
  batch: UsageBatch,
  meter: (unread: Omit<Try, "lock">) => Promise<Metering<ReceivedEvent> | null>,
): Promise<DebitOutcome> {
  const { reader, now, runs, expectRepeats } = batch;
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
  const old = unread.flatMap((run) => run.old).filter(isUnread);
  const generations = await readGenerations(transaction);
  const lookUp =
    expectRepeats || old.length > 0 || (await needsLookUp(transaction, generations, events));
  const metering = await meter({ events, old, lookUp });
  if (metering === null) throw new AccountMoved(`${describeBatch(batch)}: an account keeps moving`);
  const unfit = unread.flatMap((run) => run.deadLetters).filter(isUnread);
  const deadLetters = [...unfit, ...rejectedBy(metering, batch)];

  await writeUsage(transaction, metering, generations, { lookedUp: lookUp, meteredAt: now });
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

/** Writes the pages of a batch and the identities on them. `accounts` have the versions before it. */
async function writeUsage(
  transaction: Transaction,
  { drawn, accounts }: Pick<Metering<ReceivedEvent>, "drawn" | "accounts">,
  generations: Generations,
  how: { readonly lookedUp: boolean; readonly meteredAt: Instant },
): Promise<void> {
  const versions = new Map<string, bigint>(
    accounts.map(({ accountId, version }) => [accountId, version + 1n]),
  );
  const byAccount = Map.groupBy(drawn, ({ event }) => event.accountId);
  const pages = [...byAccount].flatMap(([accountId, ofAccount]) => {
    const version = versions.get(accountId);
    if (version === undefined) throw new Error(`account ${accountId} drew, but has not moved`);
    return pagesOf(ofAccount.map((one) => ({ ...one, version, meteredAt: how.meteredAt })));
  });
  await writePages(transaction, pages);
  await writeIdentities(transaction, generations, pages.flatMap(identitiesOn), how);
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
