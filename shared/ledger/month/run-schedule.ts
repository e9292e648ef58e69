import type { Entry, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { Movement } from "../../core/month/movement.ts";
import type { ExpiringCredits } from "../outbox/records.ts";
import { type Database, isTransient } from "../postgres/database.ts";
import { interleave } from "../postgres/interleave.ts";
import { type LotPlace, type Noticed, noticeExpiring, previewNotices } from "./notice-expiring.ts";
import {
  type DuePlace,
  previewSettling,
  type SettledAccounts,
  settleAccounts,
} from "./settle-accounts.ts";

/** A run of the scheduler: all accounts that are due are settled, then notice of coming ends is given. */
export interface ScheduleRun {
  readonly clock: Instant;
  /** Up to here everybody's usage is complete; null: nowhere. At most `clock`. */
  readonly completeUntil: Instant | null;
  /** Notice is given of lots that end within so long; 0: of none. */
  readonly noticeWithinMs: number;
}

/** How many of a kind, and their credits together; what takes credits counts positive, too. */
export interface Sum {
  readonly count: number;
  readonly credits: MicroCredits;
}

/** What a run did, or would do. */
export interface RunTotals {
  /** Accounts that moved. */
  readonly accounts: number;
  readonly grants: Sum;
  readonly expiries: Sum;
  readonly charges: Sum;
  /** Fees of subscriptions that fell due; of several currencies, so not summed. */
  readonly fees: number;
  /** Subscriptions that ended. */
  readonly ended: number;
  readonly lowBalances: number;
  readonly notices: Sum;
}

/** What one transaction of a run did, and how many accounts it has read for settling. */
export interface RunStep {
  readonly read: number;
  readonly done: RunTotals;
}

/** So many are held for a few hundred milliseconds, and metering waits for them. */
const ACCOUNTS_AT_ONCE = 1_000;
/** One batch is decided while Postgres stores another; each takes accounts that the other does not hold. */
const BATCHES_AT_ONCE = 2;
const LOTS_AT_ONCE = 1_000;

/** Does a run, one transaction a step; a run that is broken off between steps has done what it told. */
export function runSchedule(database: Database, run: ScheduleRun): AsyncGenerator<RunStep> {
  const settling = Array.from({ length: BATCHES_AT_ONCE }, () =>
    settlingOf(database, run, settleAccounts),
  );
  return inOrder(interleave(settling), noticesOf(database, run, noticeExpiring));
}

/** What `runSchedule` would do, without doing it. Notices are those of the books as they stand. */
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
    const settled: SettledAccounts = await orAgain(() => settle(database, settling, account));
    yield { read: settled.due, done: { ...EMPTY_TOTALS, ...posted(settled.movement) } };
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
    const noticed: Noticed = await orAgain(() => notice(database, noticing, lot));
    yield { read: 0, done: { ...EMPTY_TOTALS, notices: sumOf(noticed.notices) } };
    lot = noticed.next;
  } while (lot !== null);
}

const TRIES = 10;

/** A transaction that Postgres has ended in favour of another one has done nothing. */
async function orAgain<T>(work: () => Promise<T>): Promise<T> {
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

function posted({
  accounts,
  entries,
  changes,
  fees,
  lowBalances,
}: Movement): Omit<RunTotals, "notices"> {
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
