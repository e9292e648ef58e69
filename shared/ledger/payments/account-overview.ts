import type { AccountId, Instant, Lot } from "../../core/line/account.ts";
import { readLiveLots } from "../books/read-lots.ts";
import type { Transaction } from "../postgres/database.ts";
import { type AutoTopUpState, readAutoTopUpState } from "./auto-top-up-state.ts";
import { readPaymentMethod, type StoredMethod } from "./methods.ts";
import { readSubscription, type SubscriptionDetails } from "./read-subscription.ts";

/** An account with its settings. */
export interface AccountOverview extends SubscriptionDetails, AutoTopUpState {
  readonly method: StoredMethod | null;
  /** Those with credits left, oldest first. */
  readonly lots: readonly Lot[];
}

/** Null: there is no such account. `now`: the day and the month whose charges are shown. */
export async function readAccountOverview(
  transaction: Transaction,
  accountId: AccountId,
  now: Instant,
): Promise<AccountOverview | null> {
  const read = await readSubscription(transaction, accountId);
  if (read === null) return null;
  const live = await readLiveLots(transaction, [accountId]);
  return {
    ...read,
    ...(await readAutoTopUpState(transaction, read.account, now)),
    method: await readPaymentMethod(transaction, accountId),
    lots: live.get(accountId) ?? [],
  };
}
