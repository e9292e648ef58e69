import type { Command } from "commander";
import type { PageAsked } from "../../../shared/contract/cursor.ts";
import { listOf } from "../../../shared/contract/page.ts";
import { payment, paymentPage } from "../../../shared/contract/payment.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { listPayments } from "../../../shared/ledger/payments/payments.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { printable } from "../shell/print.ts";
import { noAccount, shown } from "../shell/result.ts";
import { addCommand, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { paymentTable } from "./payment-text.ts";

export function addPaymentsCommand(program: Command): void {
  const does = "list what an account was charged, newest first: top-ups, and fees of subscriptions";
  const about = { does, examples: ["payments acme --limit 100"] };
  addListCommand(addCommand(program, "payments <account>", about), null, "payments");
}

export function addTopUpListCommand(topUp: Command): void {
  const does = "list an account's top-ups, newest first";
  const about = { does, examples: ["top-up list acme --limit 100"] };
  addListCommand(addCommand(topUp, "list <account>", about), "top_up", "top-ups");
}

/** Which payments a command lists, null: all of them, and what they are called. */
function addListCommand(command: Command, kind: "top_up" | null, called: string): void {
  addPageOptions(command).action((id: string, options: PageOptions) =>
    run(options, async (settings) => {
      const accountId = accountIdArgument(id);
      const page = await readPage(settings, { accountId, kind, asked: pageArgument(options) });
      if (page === null) return noAccount(accountId);
      const { items, nextCursor } = page;
      const text =
        items.length === 0
          ? `Account ${printable(accountId)} has no ${called}.`
          : [paymentTable(items), ...moreLines(nextCursor)].join("\n");
      return shown(listOf(payment), page, text);
    }),
  );
}

interface Listing {
  readonly accountId: AccountId;
  readonly kind: "top_up" | null;
  readonly asked: PageAsked;
}

/** Null: there is no such account. */
async function readPage(settings: Settings, { accountId, kind, asked }: Listing) {
  return withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      if ((await readAccountDetails(transaction, accountId)) === null) return null;
      return paymentPage(asked, kind, (count) => listPayments(transaction, accountId, count, kind));
    }),
  );
}
