import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import { REFERENCE } from "../../core/line/reference.ts";
import { EMPTY_SCHEDULE, type Schedule, type Subscription } from "../../core/month/subscription.ts";
import { periodStart } from "../../core/offer/billing-periods.ts";
import type { Catalogue } from "../../core/offer/catalogue.ts";
import { type AccountDetails, readAccountDetails } from "../books/account-details.ts";
import { findLot } from "../books/granted-lots.ts";
import { listChanges, readSchedules } from "../books/schedules.ts";
import { type OpenFee, readOpenFees } from "../books/unpaid-fees.ts";
import { readCatalogue } from "../catalogue/catalogue.ts";
import type { Transaction } from "../postgres/database.ts";

/** An account with its subscription as it is in the books, and what explains it. */
export interface SubscriptionDetails extends AccountDetails {
  readonly schedule: Schedule;
  /** When the current period began; null without a subscription. */
  readonly periodBeganAt: Instant | null;
  /** Fees that are not paid, oldest first. */
  readonly openFees: readonly OpenFee[];
  readonly catalogue: Catalogue;
}

/** Null: there is no such account. */
export async function readSubscription(
  transaction: Transaction,
  accountId: AccountId,
): Promise<SubscriptionDetails | null> {
  const details = await readAccountDetails(transaction, accountId);
  if (details === null) return null;
  const schedules = await readSchedules(transaction, [accountId]);
  const schedule = schedules.get(accountId) ?? EMPTY_SCHEDULE;
  const { subscription } = schedule;
  return {
    ...details,
    schedule,
    periodBeganAt: subscription && (await readBegin(transaction, details.account, subscription)),
    openFees: await readOpenFees(transaction, accountId),
    catalogue: await readCatalogue(transaction),
  };
}

/**
 * The instant at which the month's lot was granted, which is right even after a change of time zone. There
 * is no lot if the line was full or the subscription suspended, and a late one if it was restored.
 */
async function readBegin(
  transaction: Transaction,
  { accountId, timeZone }: Account,
  { number, period, anchor, subscribedAt }: Subscription,
): Promise<Instant> {
  if (period === 0) return subscribedAt;
  const monthLot = REFERENCE.monthLot.write({ number, period });
  const lot = await findLot(transaction, accountId, monthLot);
  const changes = await listChanges(transaction, accountId);
  const isRestored = changes.some(({ kind, at }) => kind === "restored" && at === lot?.grantedAt);
  return lot === null || isRestored ? periodStart(anchor, period, timeZone) : lot.grantedAt;
}
