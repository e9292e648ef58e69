import type { Entry, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { Movement } from "../../core/month/movement.ts";
import type { ExpiringCredits } from "../outbox/records.ts";
import { type Database, isTransient } from "../postgres/database.ts";
import { interleave } from "../postgres/interleave.ts";
import { type LotPlace, type Noticed, noticeExpiring, previewNotices } from "./notice-expiring.ts";
import { noticeRunway, runwaysToLookAt } from "./notice-runways.ts";
import {
  type DuePlace,
  previewSettling,
  type SettledAccounts,
  settleAccounts,
} from "./settle-accounts.ts";

/**
 * A run of the scheduler: it settles the accounts that are due, then publishes expiry notices, then looks at runways.
 */
export interface ScheduleRun {
  readonly clock: Instant;
  /** Until when all usage is metered, at most `clock`; null: unknown. */
  readonly completeUntil: Instant | null;
  /** How long before their expiry lots are announced; 0: never. */
  readonly noticeWithinMs: number;
}

/** A number and the absolute sum of its credits. */
export interface Sum {
  readonly count: number;
  readonly credits: MicroCredits;
}

/** What a run did, or a preview would do. */
export interface RunTotals {
  /** Accounts that moved. */
  readonly accounts: number;
  readonly grants: Sum;
  readonly expiries: Sum;
  readonly charges: Sum;
  /** Subscription fees that fell due. They are in several currencies, so there is no sum. */
  readonly fees: number;
  /** Subscriptions that ended. */
  readonly ended: number;
  readonly lowBalances: number;
  readonly notices: Sum;
}

/** What one transaction of a run did, and how many due accounts it read. */
export interface RunStep {
  readonly read: number;
  readonly done: RunTotals;
}

/** Accounts locked by one transaction: metering waits for them, for a few hundred milliseconds. */
const ACCOUNTS_AT_ONCE = 1_000;
/** One batch is decided while Postgres stores the other. Each skips the accounts that the other has locked. */
const BATCHES_AT_ONCE = 2;
const LOTS_AT_ONCE = 1_000;
/** The rest is looked at by the next run. */
const RUNWAYS_IN_A_RUN = 1_000;

/** Runs the schedule, one transaction a step. Stopped between steps, it has done what it yielded. */
export function runSchedule(database: Database, run: ScheduleRun): AsyncGenerator<RunStep> {
  const settling = Array.from({ length: BATCHES_AT_ONCE }, () =>
    settlingOf(database, run, settleAccounts),
  );
  const notices = noticesOf(database, run, noticeExpiring);
  return inOrder(interleave(settling), notices, runwaysOf(database, run));
}

/** What `runSchedule` would do. Expiry notices are those before settling. */
export function previewSchedule(database: Database, run: ScheduleRun): AsyncGenerator<RunStep> {
  const settling = settlingOf(database, run, previewSettling);
  return inOrder(settling, noticesOf(database, run, previewNotices));
}

async function* inOrder<T>(...generators: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  for (const generator of generators) yield* generator;
}

async function* settlingOf(
  database: Database,
  { clock, completeUntil }: ScheduleRun,
  settle: typeof settleAccounts,
): AsyncGenerator<RunStep> {
  const settling = { clock, completeUntil, limit: ACCOUNTS_AT_ONCE };
  let account: DuePlace | null = null;
  do {
    const settled: SettledAccounts = await retryTransient(() =>
      settle(database, settling, account),
    );
    yield { read: settled.due, done: { ...EMPTY_TOTALS, ...totalsOf(settled.movement) } };
    account = settled.next;
  } while (account !== null);
}

async function* noticesOf(
  database: Database,
  { clock, noticeWithinMs }: ScheduleRun,
  notice: typeof noticeExpiring,
): AsyncGenerator<RunStep> {
  if (noticeWithinMs === 0) return;
  const noticing = { now: clock, withinMs: noticeWithinMs, limit: LOTS_AT_ONCE };
  let lot: LotPlace | null = null;
  do {
    const noticed: Noticed = await retryTransient(() => notice(database, noticing, lot));
    yield { read: 0, done: { ...EMPTY_TOTALS, notices: sumOf(noticed.notices) } };
    lot = noticed.next;
  } while (lot !== null);
}

async function* runwaysOf(database: Database, { clock }: ScheduleRun): AsyncGenerator<RunStep> {
  for (const accountId of await runwaysToLookAt(database, clock, RUNWAYS_IN_A_RUN)) {
    await retryTransient(() => noticeRunway(database, accountId, clock));
    yield { read: 0, done: EMPTY_TOTALS };
  }
}

const TRIES = 10;

async function retryTransient<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || tries === TRIES) throw error;
    }
  }
}

export const EMPTY_TOTALS: RunTotals = {
  accounts: 0,
  grants: { count: 0, credits: 0n },
  expiries: { count: 0, credits: 0n },
  charges: { count: 0, credits: 0n },
  fees: 0,
  ended: 0,
  lowBalances: 0,
  notices: { count: 0, credits: 0n },
};

/** What two parts of a run have done together. */
export function addTotals(a: RunTotals, b: RunTotals): RunTotals {
  return {
    accounts: a.accounts + b.accounts,
    grants: addSum(a.grants, b.grants),
    expiries: addSum(a.expiries, b.expiries),
    charges: addSum(a.charges, b.charges),
    fees: a.fees + b.fees,
    ended: a.ended + b.ended,
    lowBalances: a.lowBalances + b.lowBalances,
    notices: addSum(a.notices, b.notices),
  };
}

function addSum(a: Sum, b: Sum): Sum {
  return { count: a.count + b.count, credits: a.credits + b.credits };
}

function totalsOf(movement: Movement): Omit<RunTotals, "notices"> {
  const { accounts, entries, changes, fees, lowBalances } = movement;
  const ofKind = (kind: Entry["kind"]) => sumOf(entries.filter((entry) => entry.kind === kind));
  return {
    accounts: accounts.length,
    grants: ofKind("grant"),
    expiries: ofKind("expiry"),
    charges: ofKind("add_on_charge"),
    fees: fees.length,
    ended: changes.filter(({ change }) => change.kind === "ended").length,
    lowBalances: lowBalances.length,
  };
}

function sumOf(parts: readonly Pick<ExpiringCredits, "credits">[]): Sum {
  const total = parts.reduce((sum, { credits }) => sum + credits, 0n);
  return { count: parts.length, credits: total < 0n ? -total : total };
}
