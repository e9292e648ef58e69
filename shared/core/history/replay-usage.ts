import type { Account } from "../line/account.ts";
import type { Movement } from "../month/movement.ts";
import { type AccountInBatch, changesOf, openAccount } from "../usage/account-in-batch.ts";
import type { ColumnContext } from "../usage/draw-columns.ts";
import { type BatchContext, type Metering, meterEvents } from "../usage/events-in-batch.ts";
import type { AccountGroups } from "../usage/group-columns.ts";
import { type ColumnMetering, inColumns } from "../usage/meter-columns.ts";
import type { UsageEvent } from "../usage/usage-event.ts";
import { mayPostRecorded, postBeforeEvent, postRecorded, type Recorded } from "./post-recorded.ts";

type Context = Omit<BatchContext, "expired"> & Recorded;

/**
 * Meters events again. Before each, it posts what the original books posted there, not what is due, so
 * that the event draws where it drew before.
 */
export function replayUsage<E extends UsageEvent>(
  events: readonly E[],
  context: Context,
): Metering<E> {
  return meterEvents(events, { ...context, expired: new Map() }, (book, event, credits) =>
    postBeforeEvent(book, event, credits, context),
  );
}

/** The same of events in columns. */
export function replayColumns(
  groups: AccountGroups,
  context: Context & Pick<ColumnContext, "mayRepeat">,
): ColumnMetering {
  const drawing: ColumnContext = {
    ...{ ...context, expired: new Map() },
    mayPost: (account, position) =>
      mayPostRecorded(account, context.histories.get(account.accountId), position),
  };
  return inColumns(groups, drawing, (events) => replayUsage(events, context));
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
