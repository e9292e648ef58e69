import { subscriptionChanges } from "../../../shared/contract/subscription-change.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { listChanges } from "../../../shared/ledger/books/schedules.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { printable, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, shown } from "../shell/result.ts";
import { changeText } from "./change-text.ts";

/** Lists who changed what about an account's subscription, and when. */
export function listHistory(settings: Settings, accountId: AccountId): Promise<Result> {
  return readAccountBooks(settings, accountId, async (transaction) => {
    const items = await listChanges(transaction, accountId);
    const text =
      items.length === 0
        ? `Nothing has been changed on account ${printable(accountId)}.`
        : table(items, [
            ["WHEN", ({ at }) => formatInstant(at)],
            ["WHO", ({ by }) => by],
            ["WHAT", changeText],
          ]);
    return shown(subscriptionChanges, { items }, text);
  });
}
