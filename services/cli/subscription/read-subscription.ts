import type { Account, AccountId, Instant } from "../../../shared/core/line/account.ts";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import {
  EMPTY_SCHEDULE,
  type Schedule,
  type Subscription,
} from "../../../shared/core/month/subscription.ts";
import { periodStart } from "../../../shared/core/offer/billing-periods.ts";
import type { Catalogue } from "../../../shared/core/offer/catalogue.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { findLot } from "../../../shared/ledger/books/granted-lots.ts";
import { listChanges, readSchedules } from "../../../shared/ledger/books/schedules.ts";
import { readCatalogue } from "../../../shared/ledger/catalogue/catalogue.ts";
import { type OpenFee, readOpenFees } from "../../../shared/ledger/payments/open-fees.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { withDatabase } from "../shell/with-database.ts";

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
  const monthLot = REFERENCE.monthLot.write({ number, period });
  const lot = await findLot(transaction, accountId, monthLot);
  const changes = await listChanges(transaction, accountId);
  const isRestored = changes.some(({ kind, at }) => kind === "restored" && at === lot?.grantedAt);
  return lot === null || isRestored ? periodStart(anchor, period, timeZone) : lot.grantedAt;
}
