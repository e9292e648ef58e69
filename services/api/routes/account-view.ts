import { toAccount } from "../../../shared/contract/account.ts";
import { toSchedule } from "../../../shared/contract/subscription.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { readAccountOverview } from "../../../shared/ledger/payments/account-overview.ts";
import { readSubscription } from "../../../shared/ledger/payments/read-subscription.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { unknownAccount } from "../problem.ts";
import type { RouteContext } from "./route.ts";

/** An account with all its settings. Throws a Problem if it does not exist. */
export async function readAccountView({ database, now }: RouteContext, id: AccountId) {
  const at = now();
  const overview = await readSnapshot(database, (snapshot) =>
    readAccountOverview(snapshot, id, at),
  );
  if (overview === null) throw unknownAccount(id);
  return toAccount(overview, at);
}

/** An account's subscription and add-ons. Throws a Problem if the account does not exist. */
export async function readScheduleView({ database, now }: RouteContext, id: AccountId) {
  const subscription = await readSnapshot(database, (snapshot) => readSubscription(snapshot, id));
  if (subscription === null) throw unknownAccount(id);
  return toSchedule(subscription, now());
}
