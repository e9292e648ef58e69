import { toBalance } from "../../../shared/contract/account.ts";
import { toAutoTopUp } from "../../../shared/contract/auto-top-up.ts";
import { toSchedule } from "../../../shared/contract/subscription.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import type { AccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { readSchedules } from "../../../shared/ledger/books/schedules.ts";
import { readCatalogue } from "../../../shared/ledger/catalogue/catalogue.ts";
import { readPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { type RouteParts, readOfAccount } from "./parts.ts";

/** An account with all that is set of it. Throws a problem where there is none. */
export function readAccountView(parts: RouteParts, id: AccountId) {
  return readOfAccount(parts, id, async (transaction, details) => {
    const { account, currency, createdAt } = details;
    const auto = await readAutoTopUp(transaction, id);
    const method = await readPaymentMethod(transaction, id);
    return {
      ...toBalance(account),
      ...{ currency, createdAt, autoTopUp: toAutoTopUp(auto, currency) },
      paymentMethod: { set: method !== null },
      ...(await readScheduleView(transaction, details, parts.now())),
    };
  });
}

/** An account's subscription and add-ons, as they stand in the books. */
export async function readScheduleView(
  transaction: Transaction,
  { account: { accountId, timeZone } }: AccountDetails,
  at: number,
) {
  const schedules = await readSchedules(transaction, [accountId]);
  const catalogue = await readCatalogue(transaction);
  return toSchedule(schedules.get(accountId) ?? EMPTY_SCHEDULE, timeZone, { catalogue, at });
}
