import type { Account, Entry, Instant } from "../../core/line/account.ts";
import type { Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";

const INTO = {
  table: "entry",
  columns:
    "account_id, sequence, kind, credits, granted, position, version, lot_id, reference, due_at, posted_at, posted_by",
};

/**
 * Posts entries, each at an instant and by someone (null: nobody requested it). `accounts` are their accounts before
 * this transaction: an entry has the version that it gives its account.
 */
export async function postEntries(
  transaction: Transaction,
  entries: readonly Entry[],
  accounts: readonly Account[],
  posted: (entry: Entry) => { readonly at: Instant; readonly by: string | null },
): Promise<void> {
  const versions = new Map(accounts.map((account) => [account.accountId, account.version + 1n]));
  await insertRows(transaction, INTO, entries, (rows, entry) => {
    const version = versions.get(entry.accountId);
    if (version === undefined)
      throw new Error(`an entry of ${entry.accountId}, which did not move`);
    rows.text(entry.accountId);
    rows.int8(entry.sequence);
    rows.text(entry.kind);
    rows.int8(entry.credits);
    rows.int8(entry.granted);
    rows.int8(entry.position);
    rows.int8(version);
    if (entry.lotId === null) rows.null();
    else rows.text(entry.lotId);
    rows.text(entry.reference);
    rows.timestamptz(entry.dueAt);
    const { at, by } = posted(entry);
    rows.timestamptz(at);
    if (by === null) rows.null();
    else rows.text(by);
  });
}
