import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import { uptoClock } from "../../core/month/expiry.ts";
import { type Movement, movementOf, type Steps } from "../../core/month/movement.ts";
import { settle } from "../../core/month/settle.ts";
import { raiseMonthAlerts } from "../alerts/month-alerts.ts";
import { endAutoTopUps } from "../books/end-auto-top-ups.ts";
import { postMovement } from "../books/post-movement.ts";
import { ACCOUNT_COLUMNS } from "../books/read-accounts.ts";
import { readBooks } from "../books/read-books.ts";
import { readCatalogue } from "../catalogue/catalogue.ts";
import { type Database, inTransaction, queryRows, type Transaction } from "../postgres/database.ts";
import { readSnapshot } from "../postgres/read-snapshot.ts";

/** Which accounts to settle, and how far. */
export interface SettleRun {
  readonly clock: Instant;
  /** Until when all usage is metered, at most `clock`; null: unknown. */
  readonly completeUntil: Instant | null;
  /** The most accounts to settle, and so to lock, in one transaction. */
  readonly limit: number;
}

/** A position in the order in which accounts fall due. */
export interface DuePlace {
  readonly settleAt: Instant;
  readonly accountId: AccountId;
}

/** The accounts that one transaction has settled. */
export interface SettledAccounts {
  /** The number of accounts read; not all of them have moved. */
  readonly due: number;
  readonly movement: Movement;
  /** Where to continue; null: there are no more. */
  readonly next: DuePlace | null;
}

/** Due accounts on which something can be posted. Those that wait for usage are not locked in every run. */
const DUE = `
  SELECT ${ACCOUNT_COLUMNS}
  FROM account
  WHERE settle_at <= to_timestamp($1 / 1000.0)
    AND (settle_at, account_id) > (to_timestamp($2 / 1000.0), $3)
    AND (settle_at = next_due_at
         OR next_due_at <= to_timestamp($4 / 1000.0)
         OR to_timestamp($1 / 1000.0) >= (
           SELECT next_period_at FROM schedule WHERE schedule.account_id = account.account_id))
  ORDER BY settle_at, account_id
  LIMIT $5`;

/**
 * Settles the next due accounts after `from`, in one transaction. Locked rows are skipped, since the
 * transaction that has locked an account settles it; so any number of these may run concurrently.
 */
export async function settleAccounts(
  database: Database,
  run: SettleRun,
  from: DuePlace | null,
): Promise<SettledAccounts> {
  return inTransaction(database, async (transaction) => {
    const due = await readDue(transaction, `${DUE} FOR NO KEY UPDATE SKIP LOCKED`, run, from);
    const settled = await settleAll(transaction, due, run);
    if ((await postMovement(transaction, settled.movement, run.clock)) === null) {
      throw new Error("an account moved while its row was locked");
    }
    await endAutoTopUps(transaction, settled.movement.changes, run.clock);
    await raiseMonthAlerts(transaction, settled.movement, run.clock);
    return settled;
  });
}

/** What `settleAccounts` would do. */
export async function previewSettling(
  database: Database,
  run: SettleRun,
  from: DuePlace | null,
): Promise<SettledAccounts> {
  return readSnapshot(database, async (transaction) =>
    settleAll(transaction, await readDue(transaction, DUE, run, from), run),
  );
}

async function readDue(
  transaction: Transaction,
  text: string,
  { clock, completeUntil, limit }: SettleRun,
  from: DuePlace | null,
): Promise<Account[]> {
  const values = [clock, from?.settleAt ?? 0, from?.accountId ?? "", completeUntil, limit];
  return queryRows<Account>(transaction, text, values);
}

async function settleAll(
  transaction: Transaction,
  due: readonly Account[],
  { clock, completeUntil, limit }: SettleRun,
): Promise<SettledAccounts> {
  const last = due.at(-1);
  if (last === undefined) return { due: 0, movement: movementOf([]), next: null };
  const catalogue = await readCatalogue(transaction);
  const books = await readBooks(
    transaction,
    due.map(({ accountId }) => accountId),
  );
  const upto = uptoClock(clock, completeUntil);
  const steps = due.map((account): Steps => {
    const rest = books.get(account.accountId);
    if (rest === undefined) throw new Error(`the book of ${account.accountId} was not read`);
    const before = { account, ...rest };
    return { before, steps: [settle(before, catalogue, upto)] };
  });
  const next = due.length < limit ? null : placeOf(last);
  return { due: due.length, movement: movementOf(steps), next };
}

function placeOf({ accountId, settleAt }: Account): DuePlace {
  if (settleAt === null) throw new Error(`account ${accountId} is not due`);
  return { accountId, settleAt };
}
