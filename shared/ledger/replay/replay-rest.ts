import { noShortage } from "../../core/history/post-recorded.ts";
import { replayEntries } from "../../core/history/replay-usage.ts";
import { readAccounts } from "../books/read-accounts.ts";
import { readBooks } from "../books/read-books.ts";
import { type Database, inTransaction, queryRows, type Transaction } from "../postgres/database.ts";
import { postReplayed } from "./post-replayed.ts";
import type { RecordedEntries } from "./recorded-entries.ts";

const NEXT_ACCOUNTS = `
  SELECT account_id AS id
  FROM account
  WHERE account_id > $1 AND entries > 0
  ORDER BY account_id
  LIMIT $2`;

const ACCOUNTS_AT_ONCE = 2_000;

/** Posts the recorded entries of accounts that follow their last usage. */
export async function replayRest(
  source: Transaction,
  target: Database,
  recorded: RecordedEntries,
  signal: AbortSignal,
): Promise<void> {
  for (let after = ""; ; ) {
    signal.throwIfAborted();
    const next = [after, ACCOUNTS_AT_ONCE];
    const rows = await queryRows<{ id: string }>(source, NEXT_ACCOUNTS, next);
    const ids = rows.map(({ id }) => id);
    const last = ids.at(-1);
    if (last === undefined) return;
    while (await postSome(target, recorded, ids)) signal.throwIfAborted();
    after = last;
  }
}

/** Posts one page of entries of each account. False: there was nothing left. */
async function postSome(
  target: Database,
  recorded: RecordedEntries,
  ids: readonly string[],
): Promise<boolean> {
  return inTransaction(target, async (transaction) => {
    const accounts = await readAccounts(transaction, ids);
    const histories = await recorded.next(accounts.values());
    const short = noShortage();
    let movement = replayEntries(accounts.values(), { books: new Map(), histories, short });
    if (short.ofLots.size > 0) {
      const books = await readBooks(transaction, [...short.ofLots]);
      movement = replayEntries(accounts.values(), { books, histories, short });
    }
    if (movement.accounts.length === 0) return false;
    if (!(await postReplayed(transaction, movement, histories))) {
      throw new Error("another process moves accounts of the database that is replayed into");
    }
    return true;
  });
}
