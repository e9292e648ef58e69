import { subscriptionChanges } from "../../../shared/contract/subscription-change.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { listChanges } from "../../../shared/ledger/books/schedules.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { printable, table } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import { changeText } from "./change-text.ts";

/** Who changed what of an account's subscription, and when. */
export async function listHistory(settings: Settings, accountId: AccountId): Promise<Result> {
  const changes = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) =>
      (await readAccountDetails(transaction, accountId)) === null
        ? null
        : listChanges(transaction, accountId),
    ),
  );
  if (changes === null) return noAccount(accountId);
  if (changes.length === 0) {
    return shown(
      subscriptionChanges,
      { items: [] },
      `Nothing was changed on account ${printable(accountId)} yet.`,
    );
  }
  return shown(
    subscriptionChanges,
    { items: changes },
    table(
      [{ title: "WHEN" }, { title: "WHO" }, { title: "WHAT" }],
      changes.map((change) => [formatInstant(change.at), change.by, changeText(change)]),
    ),
  );
}
