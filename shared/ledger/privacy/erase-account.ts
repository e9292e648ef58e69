import { readAutoTopUp } from "../books/auto-top-ups.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { deleteBudgets } from "../budgets/set-budget.ts";
import { removePaymentMethod } from "../payments/methods.ts";
import { setAutoTopUp } from "../payments/set-auto-top-up.ts";
import { type Database, inTransaction } from "../postgres/database.ts";
import {
  BEFORE_PAGES,
  ERASE_STEPS,
  type EraseStep,
  erasePages,
  type PagePlace,
  ROWS_PER_TRANSACTION,
} from "./erase-rows.ts";
import {
  beginErasure,
  countErased,
  type Erasure,
  finishErasure,
  noteVersion,
  type OpenErasure,
  readLastErasure,
  readOpenErasure,
} from "./erasures.ts";
import { isNothing, readWaits, type Waits } from "./waits.ts";

type EraseOutcome =
  | { readonly kind: "erased"; readonly erasure: Erasure }
  /** It was erased before, and nothing personal has come since. */
  | { readonly kind: "already_erased"; readonly erasure: Erasure }
  /** Something is under way on it, and nothing was changed. */
  | { readonly kind: "in_use"; readonly waits: Waits }
  | UnknownAccount;

/** How an account is erased. */
export interface Erasing extends RequestedBy {
  /** Usage that was metered up to this version of the account is not looked at again; default: all is. */
  readonly since?: bigint;
  /** Called after each transaction with the number of rows that it changed. */
  onRows?(table: string, rows: number): void;
}

/**
 * Erases what is personal of an account: values of dimensions give way to pseudonyms, and what people and gateways
 * wrote is removed (`ACCOUNT_TABLES`). Amounts, times and identities stay, so that everything can still be proved.
 * Auto top-up is switched off, payment method and budgets are removed.
 *
 * It works in small transactions, while metering goes on. Broken off, it goes on when it is asked for again, with
 * the same pseudonyms; asked for once more, it changes nothing.
 */
export async function eraseAccount(database: Database, asked: Erasing): Promise<EraseOutcome> {
  const { accountId, now } = asked;
  const begun = await begin(database, asked);
  if (begun.kind !== "begun") return begun;
  await close(database, asked);
  await noteVersion(database, accountId);
  await eraseUsage(database, begun.open, asked);
  for (const step of ERASE_STEPS) await eraseRows(database, begun.open, step, asked);
  await inTransaction(database, (transaction) => finishErasure(transaction, accountId, now));
  const erasure = await readLastErasure(database, accountId);
  if (erasure === null) throw new Error(`the erasure of account ${accountId} is gone`);
  const isNew = erasure.sequence === begun.open.sequence;
  return { kind: isNew ? "erased" : "already_erased", erasure };
}

type Begun = { readonly kind: "begun"; readonly open: OpenErasure };

/** Under the lock of the account; one that was broken off goes on, whatever has come meanwhile. */
function begin(
  database: Database,
  { accountId, now, by, since }: Erasing,
): Promise<Begun | Exclude<EraseOutcome, { readonly erasure: Erasure }>> {
  type Decision = Begun | { readonly kind: "in_use"; readonly waits: Waits };
  return moveAccount<Decision>(database, { accountId, now }, async (_, transaction) => {
    const unfinished = await readOpenErasure(transaction, accountId);
    if (unfinished !== null) return { decision: { kind: "begun", open: unfinished }, step: null };
    const waits = await readWaits(transaction, accountId);
    // What came after an erasure goes, whatever becomes of a message that has no usage.
    const holdingUp = since === undefined ? waits : { ...waits, deadLetters: 0 };
    if (!isNothing(holdingUp)) return { decision: { kind: "in_use", waits }, step: null };
    await beginErasure(transaction, { accountId, by, now });
    const open = await readOpenErasure(transaction, accountId);
    if (open === null) throw new Error(`the erasure of account ${accountId} was not stored`);
    return { decision: { kind: "begun", open }, step: null };
  });
}

/** Nothing is charged any more, and no value is counted. */
async function close(database: Database, { accountId, now, by }: RequestedBy): Promise<void> {
  const asked = { accountId, now, by };
  const { enabled } = await readAutoTopUp(database, accountId);
  const off = enabled ? await setAutoTopUp(database, asked, { enabled: false }) : null;
  if (off !== null && off.kind !== "set") {
    throw new Error(`auto top-up of account ${accountId} cannot be switched off: ${off.kind}`);
  }
  await removePaymentMethod(database, asked);
  await deleteBudgets(database, asked);
}

async function eraseUsage(
  database: Database,
  { key, keptDimensions }: OpenErasure,
  { accountId, since = 0n, onRows }: Erasing,
): Promise<void> {
  let after: PagePlace | null = BEFORE_PAGES;
  while (after !== null) {
    const from: PagePlace = after;
    const erased = await inTransaction(database, async (transaction) => {
      const values = [accountId, key, keptDimensions, since];
      const pages = await erasePages(transaction, values, from);
      await countErased(transaction, accountId, { table: "usage_page", rows: pages.rows });
      return pages;
    });
    onRows?.("usage_page", erased.rows);
    after = erased.last;
  }
}

async function eraseRows(
  database: Database,
  { key, keptDimensions }: OpenErasure,
  { table, text }: EraseStep,
  { accountId, onRows }: Erasing,
): Promise<void> {
  for (let rows = ROWS_PER_TRANSACTION; rows === ROWS_PER_TRANSACTION; ) {
    rows = await inTransaction(database, async (transaction) => {
      const { rowCount } = await transaction.query(text, [accountId, key, keptDimensions]);
      await countErased(transaction, accountId, { table, rows: rowCount ?? 0 });
      return rowCount ?? 0;
    });
    onRows?.(table, rows);
  }
}
