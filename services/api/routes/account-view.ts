import { toAccount } from "../../../shared/contract/account.ts";
import { toSchedule } from "../../../shared/contract/subscription.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { readAccountOverview } from "../../../shared/ledger/payments/account-overview.ts";
import { readSubscription } from "../../../shared/ledger/payments/read-subscription.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { unknownAccount } from "../problem.ts";
import type { RouteParts } from "./parts.ts";

/** An account with all that is set of it. Throws a problem where there is none. */
export async function readAccountView({ database, now }: RouteParts, id: AccountId) {
  const read = await readSnapshot(database, (transaction) => readAccountOverview(transaction, id));
  if (read === null) throw unknownAccount(id);
  return toAccount(read, now());
}

/** An account's subscription and add-ons. Throws a problem where there is no such account. */
export async function readScheduleView({ database, now }: RouteParts, id: AccountId) {
  const read = await readSnapshot(database, (transaction) => readSubscription(transaction, id));
  if (read === null) throw unknownAccount(id);
  return toSchedule(read, now());
}
