import type { Account, Instant } from "../line/account.ts";
import { isDue } from "../month/account-book.ts";
import { giveBackTo, type SettlingContext, settleBefore } from "./account-in-batch.ts";
import { type BatchContext, type Metering, meterEvents } from "./events-in-batch.ts";
import type { UsageEvent } from "./usage-event.ts";

/** What metering depends on; `books` has every account on which something may be due (`accountsDue`). */
export interface MeteringContext extends BatchContext, SettlingContext {}

/** The accounts whose books `meterUsage` needs: those of these ids on which something may be due. */
export function accountsDue(
  ids: Iterable<string>,
  accounts: ReadonlyMap<string, Account>,
  now: Instant,
): string[] {
  const due = new Set<string>();
  for (const id of ids) {
    const account = accounts.get(id);
    if (account !== undefined && isDue(account, now)) due.add(id);
  }
  return [...due];
}

/**
 * Prices events that passed `rejectEvent` and draws them on their accounts in the given order (the
 * offsets of a partition). Each account is settled before an event draws on it. Every step depends only
 * on an event and its account, so any split of the events into batches gives the same books.
 */
export function meterUsage<E extends UsageEvent>(
  events: readonly E[],
  context: MeteringContext,
): Metering<E> {
  return meterEvents(events, context, (book, event, credits, lowBalances) => {
    settleBefore(book, event, context, lowBalances);
    return giveBackTo(book, event, credits);
  });
}
