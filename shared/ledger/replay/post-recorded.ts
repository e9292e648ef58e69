import {
  type EntryHistory,
  postBeforeEvent,
  postRecorded,
  type Shortage,
} from "../../core/history/post-recorded.ts";
import { EMPTY_CATALOGUE } from "../../core/offer/catalogue.ts";
import { type AccountInBatch, changesOf, openAccount } from "../../core/usage/account-in-batch.ts";
import { postMovement } from "../books/post-movement.ts";
import { readAccounts } from "../books/read-accounts.ts";
import { readBooks } from "../books/read-books.ts";
import { type Database, inTransaction, type Transaction } from "../postgres/database.ts";
import type { Posting } from "../usage/meter-events.ts";
import type { RecordedEntries } from "./recorded-entries.ts";

/**
 * Posts before an event what other books have recorded before it, rather than what is due by the
 * clocks. What was announced then is not announced again.
 */
export function asRecorded(recorded: RecordedEntries): Posting {
  return {
    isAnnounced: false,
    async read(transaction, accounts) {
      const named = () => accounts.values();
      let histories = await recorded.next(named());
      let short = noShortage();
      const starts = new Map<string, bigint | null>();
      const books: Awaited<ReturnType<typeof readBooks>> = new Map();
      return {
        held: [],
        books,
        catalogue: EMPTY_CATALOGUE,
        completeUntil: null,
        postBefore(book, event, credits) {
          postBeforeEvent(book, event, credits, { histories, starts, short });
        },
        async readMore() {
          const { ofEntries, ofLots, ofStarts } = short;
          if (ofEntries.size + ofLots.size + ofStarts.size === 0) return null;
          short = noShortage();
          if (ofEntries.size > 0) histories = await recorded.next(named(), ofEntries);
          for (const [id, book] of await readBooks(transaction, [...ofLots])) books.set(id, book);
          for (const [of, start] of await recorded.starts([...ofStarts])) starts.set(of, start);
          return { books };
        },
      };
    },
  };
}

const NEXT_ACCOUNTS = `
  SELECT account_id, entries
  FROM account
  WHERE account_id > $1 AND entries > 0
  ORDER BY account_id
  LIMIT $2`;

const ACCOUNTS_AT_ONCE = 2_000;

/** Posts what the accounts of other books have recorded beyond their last usage. */
export async function postRest(
  source: Transaction,
  target: Database,
  recorded: RecordedEntries,
  signal: AbortSignal,
): Promise<void> {
  for (let after = ""; ; ) {
    signal.throwIfAborted();
    const { rows } = await source.query<[string, string]>({
      text: NEXT_ACCOUNTS,
      values: [after, ACCOUNTS_AT_ONCE],
      rowMode: "array",
    });
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last[0];
    const posted = await readAccounts(
      target,
      rows.map(([id]) => id),
    );
    const left = rows.filter(([id, entries]) => posted.get(id)?.entries !== BigInt(entries));
    const ids = left.map(([id]) => id);
    while (await postSome(target, recorded, ids)) signal.throwIfAborted();
  }
}

/** Posts as many entries of each account as are read at once. False: nothing was left. */
async function postSome(
  database: Database,
  recorded: RecordedEntries,
  ids: readonly string[],
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const accounts = await readAccounts(transaction, ids);
    const histories = await recorded.next(accounts.values());
    const short = noShortage();
    const play = (read: Awaited<ReturnType<typeof readBooks>>) =>
      post(
        [...accounts].map(([id, account]) => openAccount(account, read.get(id))),
        histories,
        short,
      );
    let books = play(new Map());
    if (short.ofLots.size > 0) books = play(await readBooks(transaction, [...short.ofLots]));
    const movement = { ...changesOf(books), lowBalances: [] };
    if (movement.accounts.length === 0) return false;
    // Each entry says when it was posted.
    if (!(await postMovement(transaction, movement, 0, { isAnnounced: false }))) {
      throw new Error("somebody else moves accounts of the database that is replayed into");
    }
    return true;
  });
}

function post(
  books: readonly AccountInBatch[],
  histories: ReadonlyMap<string, EntryHistory>,
  short: Shortage,
): Map<string, AccountInBatch> {
  for (const book of books) {
    const history = histories.get(book.account.accountId);
    if (history !== undefined) postRecorded(book, history, short);
  }
  return new Map(books.map((book) => [book.account.accountId, book]));
}

function noShortage(): Shortage {
  return { ofEntries: new Set(), ofLots: new Set(), ofStarts: new Set() };
}
