import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import {
  type SubscriptionDetails as Read,
  readSubscription as read,
} from "../../../shared/ledger/payments/read-subscription.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { withDatabase } from "../shell/with-database.ts";

/** An account's subscription as it is in the books now. */
export interface SubscriptionDetails extends Read {
  readonly now: Instant;
}

/** Null: there is no such account. */
export async function readSubscription(
  settings: Settings,
  accountId: AccountId,
): Promise<SubscriptionDetails | null> {
  const found = await withDatabase(settings, (database) =>
    readSnapshot(database, (transaction) => read(transaction, accountId)),
  );
  return found && { ...found, now: Date.now() };
}
