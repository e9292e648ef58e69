import { type EntryHistory, recordedAt } from "../../core/history/post-recorded.ts";
import type { Movement } from "../../core/month/movement.ts";
import { insertLots } from "../books/granted-lots.ts";
import { moveLots } from "../books/move-lots.ts";
import { postEntries } from "../books/post-entries.ts";
import { type AccountsRead, updateAccounts } from "../books/update-accounts.ts";
import type { Transaction } from "../postgres/database.ts";

/**
 * Writes the movement of a replay: each entry at the instant and by whom it was first posted, and nothing to
 * publish. False: an account had moved since it was read; roll back and run again.
 */
export async function postReplayed(
  transaction: Transaction,
  { accounts, entries, granted, movedLots }: Movement,
  histories: ReadonlyMap<string, EntryHistory>,
  read?: AccountsRead,
): Promise<boolean> {
  if ((await updateAccounts(transaction, accounts, read)) === null) return false;
  await insertLots(transaction, granted);
  await moveLots(transaction, movedLots);
  await postEntries(transaction, entries, accounts, ({ accountId, sequence }) => {
    const history = histories.get(accountId);
    const recorded = history && recordedAt(history, sequence);
    if (recorded === undefined)
      throw new Error(`entry ${sequence} of ${accountId} was not recorded`);
    return { at: recorded.postedAt, by: recorded.postedBy ?? null };
  });
  return true;
}
