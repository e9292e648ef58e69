import type { Account } from "../line/account.ts";
import type { Movement } from "../month/movement.ts";
import { type AccountInBatch, changesOf, openAccount } from "../usage/account-in-batch.ts";
import {
  accountFor,
  type BatchContext,
  closeBatch,
  drawEvent,
  type Metering,
  openBatch,
  priceFor,
} from "../usage/events-in-batch.ts";
import type { UsageEvent } from "../usage/usage-event.ts";
import { postBeforeEvent, postRecorded, type Recorded } from "./post-recorded.ts";

/**
 * Meters events again: each is priced and drawn as `meterUsage` does it, and before it what the other
 * books posted there, rather than what is due. So it draws where it drew before.
 */
export function replayUsage<E extends UsageEvent>(
  events: readonly E[],
  context: BatchContext & Recorded,
): Metering<E> {
  const batch = openBatch<E>(context);
  for (const event of events) {
    const book = accountFor(batch, event);
    if (book === null) continue;
    const credits = priceFor(batch, event);
    if (credits === null) continue;
    postBeforeEvent(book, event, credits, context);
    drawEvent(batch, book, event, credits);
  }
  return closeBatch(batch);
}

/** Posts what the other books have recorded of accounts beyond their last usage. */
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
