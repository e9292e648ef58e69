import type { Command } from "commander";
import { CSV_PAGE, csvText, pagesOf } from "../../../shared/contract/csv-export.ts";
import { PAYMENTS_CSV } from "../../../shared/contract/csv-tables.ts";
import { listOf } from "../../../shared/contract/page.ts";
import { payment, paymentPage, toPayment } from "../../../shared/contract/payment.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Payment } from "../../../shared/core/payments/payment.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { listPayments } from "../../../shared/ledger/payments/payments.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { addCsvOption, type CsvOption, exportCsv } from "../shell/csv-file.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { printable, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { shown } from "../shell/result.ts";
import { addCommand, run } from "../shell/run-command.ts";
import { purposeText } from "./show-text.ts";

export function addPaymentsCommand(program: Command): void {
  const does = "list an account's payments, newest first: top-ups and subscription fees";
  const about = { does, examples: ["payments acme --limit 100"] };
  addListCommand(addCommand(program, "payments <account>", about), null, "payments");
}

export function addTopUpListCommand(topUp: Command): void {
  const does = "list an account's top-ups, newest first";
  const about = { does, examples: ["top-up list acme --limit 100"] };
  addListCommand(addCommand(topUp, "list <account>", about), "top_up", "top-ups");
}

/** `kind`: the payments to list, null for all; `name`: what they are called. */
function addListCommand(command: Command, kind: "top_up" | null, name: string): void {
  addCsvOption(addPageOptions(command)).action((id: string, options: PageOptions & CsvOption) =>
    run(options, (settings) => {
      const accountId = accountIdArgument(id);
      const { csv, json } = options;
      if (csv !== undefined) {
        return exportCsv(settings, accountId, { csv, json }, (database) =>
          csvText(PAYMENTS_CSV, paymentPages(database, accountId, kind)),
        );
      }
      const range = pageArgument(options);
      return readAccountBooks(settings, accountId, async (transaction) => {
        const page = await paymentPage(range, kind, (count) =>
          listPayments(transaction, accountId, count, kind),
        );
        const text =
          page.items.length === 0
            ? `Account ${printable(accountId)} has no ${name}.`
            : [paymentTable(page.items), ...moreLines(page.nextCursor)].join("\n");
        return shown(listOf(payment), page, text);
      });
    }),
  );
}

/** All payments, newest first. */
function paymentPages(database: Database, accountId: AccountId, kind: "top_up" | null) {
  return pagesOf<ReturnType<typeof toPayment>>(async (last) =>
    (await listPayments(database, accountId, CSV_PAGE, kind, last)).map(toPayment),
  );
}

function paymentTable(payments: readonly Payment[]): string {
  return table(payments, [
    ["PAYMENT", ({ paymentId }) => paymentId],
    ["FOR", purposeText],
    ["STATUS", ({ status }) => status],
    ["AMOUNT", ({ amount, currency }) => moneyText(amount, currency), "right"],
    ["CREDITS", (made) => (made.kind === "top_up" ? formatCredits(made.credits) : ""), "right"],
    ["ATTEMPT", ({ attempt }) => attempt, "right"],
    ["CREATED", ({ createdAt }) => formatInstant(createdAt)],
    ["REASON", ({ reason }) => reason],
  ]);
}
