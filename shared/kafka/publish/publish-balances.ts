import { TOPICS } from "../../core/text/topics.ts";
import {
  type BalanceState,
  becomeBalancePublisher,
  divideBalanceChanges,
  takeBalanceChanges,
  waitingBalanceChanges,
} from "../../ledger/outbox/balance-changes.ts";
import type { TooMany } from "../../ledger/outbox/published-budgets.ts";
import { balancePublished } from "../../ledger/outbox/records.ts";
import { type Database, inTransaction } from "../../ledger/postgres/database.ts";
import { Fenced, type FencedPublisher } from "./fenced-publisher.ts";
import { type PublishTrace, UNTRACED } from "./publish-traces.ts";
import type { Outgoing } from "./publisher.ts";

/** The role of whoever publishes balances: a transactional id of Kafka. */
export const BALANCE_PUBLISHER = "drawdown-balances";

/** Of one publication: it gathers the changes of many transactions, so that an account is published once. */
export const MOST_CHANGES = { transactions: 200, accounts: 400_000 };
/** Accounts that Kafka stores long before Postgres ends the transaction, which is idle meanwhile. */
const PORTION = 5_000;
/** A service that stops waits for a publication, and what has moved meanwhile waits, too. */
const LONGEST_MS = 3_000;
/** Encoding so many takes about 15 ms; metering goes on while Kafka stores them. */
const AT_ONCE = 1_000;

/** What a call of `publishBalances` has published. */
export interface Published {
  readonly accounts: number;
  /** All that waited when it began. */
  readonly isAll: boolean;
}

/**
 * Publishes the newest state of every account that has changed, in portions. Changes are deleted after
 * Kafka has acknowledged them: a process that is killed in between publishes a portion again. What is left
 * after some seconds waits for the next call. `tooMany` is kept from call to call. Returns null where another
 * process publishes.
 */
export async function publishBalances(
  database: Database,
  publisher: FencedPublisher,
  tooMany: TooMany = new Map(),
  trace = UNTRACED,
): Promise<Published | null> {
  let accounts = 0;
  try {
    const { changes, isAll } = await waitingBalanceChanges(database, MOST_CHANGES);
    const portions = await divideBalanceChanges(database, changes, PORTION);
    if (portions === null) return null;
    const until = performance.now() + LONGEST_MS;
    for (const [index, changeIds] of portions.entries()) {
      const ofPortion = await publishPortion(database, publisher, changeIds, tooMany, trace);
      if (ofPortion === null) return null;
      accounts += ofPortion;
      const isLast = index === portions.length - 1;
      if (performance.now() > until && !isLast) return { accounts, isAll: false };
    }
    return { accounts, isAll };
  } catch (error) {
    if (error instanceof Fenced) return null;
    throw error;
  }
}

/** The number of accounts; null: another publishes. */
async function publishPortion(
  database: Database,
  publisher: FencedPublisher,
  changeIds: readonly string[],
  tooMany: TooMany,
  trace: PublishTrace,
): Promise<number | null> {
  return inTransaction(database, async (transaction) => {
    if (!(await becomeBalancePublisher(transaction))) return null;
    await publisher.begin();
    const changedAt = Date.now();
    const states = await takeBalanceChanges(transaction, changeIds, changedAt, tooMany);
    if (states.length === 0) return 0;
    const traceparent = trace.publishing(states.length);
    for (let at = 0; at < states.length; at += AT_ONCE) {
      const slice = states.slice(at, at + AT_ONCE);
      await publisher.publish(
        slice.map((state) => ({ ...toOutgoing(state, changedAt), traceparent })),
      );
    }
    await publisher.commit();
    return states.length;
  });
}

function toOutgoing(state: BalanceState, changedAt: number): Outgoing {
  return {
    topic: TOPICS.balances,
    key: state.accountId,
    sequence: state.version,
    record: balancePublished(state, changedAt),
  };
}
