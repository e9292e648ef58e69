import type { AccountId, Instant } from "../../core/line/account.ts";
import type { SubscriptionChange } from "../../core/month/subscription.ts";
import { endAutoTopUp } from "../../core/payments/end-auto-top-up.ts";
import type { Transaction } from "../postgres/database.ts";
import { readAccountDetails } from "./account-details.ts";
import { readAutoTopUp, writeAutoTopUp } from "./auto-top-ups.ts";
import { recordSettings } from "./setting-changes.ts";

/**
 * Ends the auto top-up of accounts whose subscription has ended, with its notice and its place in the
 * history of settings. The caller has locked the accounts.
 */
export async function endAutoTopUps(
  transaction: Transaction,
  changes: readonly { readonly accountId: AccountId; readonly change: SubscriptionChange }[],
  now: Instant,
): Promise<void> {
  for (const { accountId, change } of changes) {
    if (change.kind !== "ended") continue;
    const details = await readAccountDetails(transaction, accountId);
    if (details === null) throw new Error(`account ${accountId} is gone`);
    const ended = endAutoTopUp(await readAutoTopUp(transaction, accountId), change, details);
    if (ended === null) continue;
    await writeAutoTopUp(transaction, accountId, { ...ended, now });
    await recordSettings(transaction, { accountId, now, by: change.by });
  }
}
