import type { Account } from "../line/account.ts";
import type { Movement } from "../month/movement.ts";
import { type AccountInBatch, changesOf, openAccount } from "../usage/account-in-batch.ts";
import { type BatchContext, type Metering, meterEvents } from "../usage/events-in-batch.ts";
import type { UsageEvent } from "../usage/usage-event.ts";
import { postBeforeEvent, postRecorded, type Recorded } from "./post-recorded.ts";

/**
 * Meters events again. Before each, it posts what the original books posted there, not what is due, so
 * that the event draws where it drew before.
 */
export function replayUsage<E extends UsageEvent>(
  events: readonly E[],
  context: Omit<BatchContext, "expired"> & Recorded,
): Metering<E> {
  return meterEvents(events, { ...context, expired: new Map() }, (book, event, credits) =>
    postBeforeEvent(book, event, credits, context),
  );
}

/** Posts what the original books recorded of accounts after their last usage. */
export function replayEntries(
  accounts: Iterable<Account>,
  { books, histories, short }: Pick<BatchContext & Recorded, "books" | "histories" | "short">,
): Movement {
  const open: AccountInBatch[] = [];
  for (const account of accounts) {
    const book = openAccount(account, books.get(account.accountId));
    const history = histories.get(account.accountId);
    if (history !== undefined) postRecorded(book, history, short);
    open.push(book);
  }
  return { lowBalances: [], ...changesOf(open) };
}
