import type { AccountId, Lot } from "../../core/line/account.ts";
import type { AutoTopUp } from "../../core/payments/auto-top-up.ts";
import { readAutoTopUp } from "../books/auto-top-ups.ts";
import { readLiveLots } from "../books/read-lots.ts";
import type { Transaction } from "../postgres/database.ts";
import { readPaymentMethod, type StoredMethod } from "./methods.ts";
import { readSubscription, type SubscriptionDetails } from "./read-subscription.ts";

/** An account with its settings. */
export interface AccountOverview extends SubscriptionDetails {
  readonly auto: AutoTopUp;
  readonly method: StoredMethod | null;
  /** Those with credits left, oldest first. */
  readonly lots: readonly Lot[];
}

/** Null: there is no such account. */
export async function readAccountOverview(
  transaction: Transaction,
  accountId: AccountId,
): Promise<AccountOverview | null> {
  const read = await readSubscription(transaction, accountId);
  if (read === null) return null;
  const live = await readLiveLots(transaction, [accountId]);
  return {
    ...read,
    auto: await readAutoTopUp(transaction, accountId),
    method: await readPaymentMethod(transaction, accountId),
    lots: live.get(accountId) ?? [],
  };
}
