import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import {
  type SubscriptionDetails as Read,
  readSubscription as read,
} from "../../../shared/ledger/payments/read-subscription.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { readBooks } from "../shell/read-books.ts";

/** An account's subscription as the books have it at an instant. */
export interface SubscriptionDetails extends Read {
  readonly now: Instant;
}

/** Null: there is no such account. */
export async function readSubscription(
  settings: Settings,
  accountId: AccountId,
): Promise<SubscriptionDetails | null> {
  const found = await readBooks(settings, (transaction) => read(transaction, accountId));
  return found && { ...found, now: Date.now() };
}
