import type { AccountId } from "../../shared/core/account.ts";
import { readAccountDetails } from "../../shared/ledger/account-details.ts";
import { readSnapshot } from "../../shared/ledger/read-snapshot.ts";
import { listChanges } from "../../shared/ledger/schedules.ts";
import type { Settings } from "../../shared/runtime/settings.ts";
import { formatInstant } from "../../shared/words/plain-words.ts";
import { changeJson, changeText } from "./change-text.ts";
import { printable, table } from "./print.ts";
import { type Result, refused, shown } from "./result.ts";
import { withDatabase } from "./with-database.ts";

/** Who changed what of an account's subscription, and when. */
export async function listHistory(settings: Settings, accountId: AccountId): Promise<Result> {
  const changes = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) =>
      (await readAccountDetails(transaction, accountId)) === null
        ? null
        : listChanges(transaction, accountId),
    ),
  );
  if (changes === null) return refused(`there is no account ${accountId}`);
  const data = { account_id: accountId, changes: changes.map(changeJson) };
  if (changes.length === 0) {
    return shown(data, `Nothing was changed on account ${printable(accountId)} yet.`);
  }
  return shown(
    data,
    table(
      [{ title: "WHEN" }, { title: "WHO" }, { title: "WHAT" }],
      changes.map((change) => [formatInstant(change.at), change.by, changeText(change)]),
    ),
  );
}
