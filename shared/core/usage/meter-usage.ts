import type { Account, Instant } from "../line/account.ts";
import { isDue } from "../month/account-book.ts";
import { type SettlingContext, settleBefore } from "./account-in-batch.ts";
import {
  accountFor,
  type BatchContext,
  closeBatch,
  drawEvent,
  type Metering,
  openBatch,
  priceFor,
} from "./events-in-batch.ts";
import type { UsageEvent } from "./usage-event.ts";

/** What metering goes by; `books` has every account on which something may be due (`accountsDue`). */
export interface MeteringContext extends BatchContext, SettlingContext {}

/** The accounts whose books `meterUsage` needs: those named by events on which something may be due. */
export function accountsDue(
  events: readonly UsageEvent[],
  accounts: ReadonlyMap<string, Account>,
  now: Instant,
): string[] {
  const mayBeDue = new Set<string>();
  for (const [id, account] of accounts) if (isDue(account, now)) mayBeDue.add(id);
  if (mayBeDue.size === 0) return [];
  const named = new Set<string>();
  for (const { accountId } of events) if (mayBeDue.has(accountId)) named.add(accountId);
  return [...named];
}

/**
 * Prices events that `rejectEvent` let pass and draws their accounts down, in the order given
 * (offsets of one partition), settling each account before an event draws on it. Every step depends
 * on one event and its account alone, so any split of the same events into batches gives the same
 * books.
 */
export function meterUsage<E extends UsageEvent>(
  events: readonly E[],
  context: MeteringContext,
): Metering<E> {
  const batch = openBatch<E>(context);
  for (const event of events) {
    const book = accountFor(batch, event);
    if (book === null) continue;
    const credits = priceFor(batch, event);
    if (credits === null) continue;
    settleBefore(book, event, context, batch.lowBalances);
    drawEvent(batch, book, event, credits);
  }
  return closeBatch(batch);
}
