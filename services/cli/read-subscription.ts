import type { Account, AccountId, Instant } from "../../shared/core/account.ts";
import { periodStart } from "../../shared/core/billing-periods.ts";
import type { Catalogue } from "../../shared/core/catalogue.ts";
import {
  EMPTY_SCHEDULE,
  type Schedule,
  type Subscription,
} from "../../shared/core/subscription.ts";
import { readAccountDetails } from "../../shared/ledger/account-details.ts";
import { readCatalogue } from "../../shared/ledger/catalogue.ts";
import type { Transaction } from "../../shared/ledger/database.ts";
import { findLot } from "../../shared/ledger/granted-lots.ts";
import { type OpenFee, readOpenFees } from "../../shared/ledger/open-fees.ts";
import { readSnapshot } from "../../shared/ledger/read-snapshot.ts";
import { listChanges, readSchedules } from "../../shared/ledger/schedules.ts";
import type { Settings } from "../../shared/runtime/settings.ts";
import { withDatabase } from "./with-database.ts";

/** An account's subscription as it is in the books, with what explains it. */
export interface SubscriptionRead {
  readonly account: Account;
  readonly currency: string;
  readonly schedule: Schedule;
  /** When the current period began; null without a subscription. */
  readonly periodBeganAt: Instant | null;
  /** Fees that are not paid, oldest first. */
  readonly openFees: readonly OpenFee[];
  readonly catalogue: Catalogue;
  readonly now: Instant;
}

/** Null: there is no such account. */
export async function readSubscription(
  settings: Settings,
  accountId: AccountId,
): Promise<SubscriptionRead | null> {
  return withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      const details = await readAccountDetails(transaction, accountId);
      if (details === null) return null;
      const { account, currency } = details;
      const schedules = await readSchedules(transaction, [accountId]);
      const schedule = schedules.get(accountId) ?? EMPTY_SCHEDULE;
      const { subscription } = schedule;
      const periodBeganAt = subscription && (await readBegin(transaction, account, subscription));
      const openFees = await readOpenFees(transaction, accountId);
      const catalogue = await readCatalogue(transaction);
      const now = Date.now();
      return { account, currency, schedule, periodBeganAt, openFees, catalogue, now };
    }),
  );
}

/**
 * The month's lot tells, also where another time zone held then. A line that was full has none, nor has
 * a suspended subscription; when that is restored, the lot comes later than its month.
 */
async function readBegin(
  transaction: Transaction,
  { accountId, timeZone }: Account,
  { number, period, anchor, subscribedAt }: Subscription,
): Promise<Instant> {
  if (period === 0) return subscribedAt;
  const lot = await findLot(transaction, accountId, `plan:${number}:${period}`);
  const changes = await listChanges(transaction, accountId);
  const isRestored = changes.some(({ kind, at }) => kind === "restored" && at === lot?.grantedAt);
  return lot === null || isRestored ? periodStart(anchor, period, timeZone) : lot.grantedAt;
}
