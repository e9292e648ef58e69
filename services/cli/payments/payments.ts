import type { Command } from "commander";
import { CSV_PAGE, csvText, pagesOf } from "../../../shared/contract/csv-export.ts";
import { ALL_PAYMENTS_CSV, PAYMENTS_CSV } from "../../../shared/contract/csv-tables.ts";
import { listOf } from "../../../shared/contract/page.ts";
import {
  allPaymentsPage,
  listedPayment,
  paymentOfAccount,
  paymentPage,
  toListedPayment,
  toPaymentOfAccount,
} from "../../../shared/contract/payment.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import {
  type ListedPayment,
  listAllPayments,
  type PaymentFilter,
} from "../../../shared/ledger/payments/list-all-payments.ts";
import { listPayments, type PaymentOfAccount } from "../../../shared/ledger/payments/payments.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { addCsvOption, type CsvOption, exportCsv } from "../shell/csv-file.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { type Column, printable, table } from "../shell/print.ts";
import { readAccountBooks, readBooks } from "../shell/read-books.ts";
import { type Result, shown } from "../shell/result.ts";
import { addCommand, run } from "../shell/run-command.ts";
import { addFilterOptions, type FilterOptions, hasFilters, toFilter } from "./payment-filter.ts";
import { purposeText } from "./show-text.ts";

interface ListOptions extends PageOptions, CsvOption {}

interface Options extends ListOptions, FilterOptions {}

export function addPaymentsCommand(program: Command): void {
  const command = addCommand(program, "payments [account]", {
    does: "list payments, newest first: top-ups and subscription fees, of an account or of all",
    examples: [
      "payments acme --limit 100",
      "payments --kind fee --status failed",
      "payments --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z --csv october.csv",
    ],
  });
  addFilterOptions(addCsvOption(addPageOptions(command))).action(
    (id: string | undefined, options: Options) =>
      run(options, (settings) =>
        id === undefined || hasFilters(options)
          ? listFiltered(settings, id, options)
          : listOfAccount(settings, id, options, PAYMENTS),
      ),
  );
}

/** With filters, or of all accounts, each payment is shown with its account and what the gateway knows of it. */
async function listFiltered(
  settings: Settings,
  id: string | undefined,
  options: Options,
): Promise<Result> {
  const which = toFilter(id, options);
  const { csv, json } = options;
  if (csv !== undefined) {
    return exportCsv(settings, null, { csv, json }, (database) =>
      csvText(ALL_PAYMENTS_CSV, filteredPages(database, which)),
    );
  }
  const range = pageArgument(options);
  const page = await readBooks(settings, (transaction) =>
    allPaymentsPage(range, (limit, last) => listAllPayments(transaction, which, limit, last)),
  );
  const text =
    page.items.length === 0
      ? "There are no such payments."
      : [table(page.items, ALL_TABLE), ...moreLines(page.nextCursor)].join("\n");
  return shown(listOf(listedPayment), page, text);
}

export function addTopUpListCommand(topUp: Command): void {
  const does = "list an account's top-ups, newest first";
  const about = { does, examples: ["top-up list acme --limit 100"] };
  addCsvOption(addPageOptions(addCommand(topUp, "list <account>", about))).action(
    (id: string, options: ListOptions) =>
      run(options, (settings) => listOfAccount(settings, id, options, TOP_UPS)),
  );
}

/** The payments to list (null: all), and what they are called. */
type Listed = { readonly kind: "top_up" | null; readonly name: string };

const TOP_UPS: Listed = { kind: "top_up", name: "top-ups" };
const PAYMENTS: Listed = { kind: null, name: "payments" };

function listOfAccount(
  settings: Settings,
  id: string,
  options: ListOptions,
  { kind, name }: Listed,
): Promise<Result> {
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
        : [table(page.items, PAYMENT_TABLE), ...moreLines(page.nextCursor)].join("\n");
    return shown(listOf(paymentOfAccount), page, text);
  });
}

/** All payments, newest first. */
function paymentPages(database: Database, accountId: AccountId, kind: "top_up" | null) {
  return pagesOf<ReturnType<typeof toPaymentOfAccount>>(async (last) =>
    (await listPayments(database, accountId, CSV_PAGE, kind, last)).map(toPaymentOfAccount),
  );
}

function filteredPages(database: Database, which: PaymentFilter) {
  return pagesOf<ReturnType<typeof toListedPayment>>(async (last) =>
    (await listAllPayments(database, which, CSV_PAGE, last)).map(toListedPayment),
  );
}

const PAYMENT_TABLE: readonly Column<PaymentOfAccount>[] = [
  ["PAYMENT", ({ paymentId }) => paymentId],
  ["FOR", purposeText],
  ["STATUS", ({ status }) => status],
  ["AMOUNT", ({ amount, currency }) => moneyText(amount, currency), "right"],
  ["CREDITS", (made) => (made.kind === "top_up" ? formatCredits(made.credits) : ""), "right"],
  ["ATTEMPT", ({ attempt }) => attempt, "right"],
  ["CREATED", ({ createdAt }) => formatInstant(createdAt)],
  ["REASON", ({ reason }) => reason],
  [
    "REFUNDED",
    ({ refunded, currency }) => (refunded === 0n ? "" : moneyText(refunded, currency)),
    "right",
  ],
];

const ALL_TABLE: readonly Column<ListedPayment>[] = [
  ["ACCOUNT", ({ accountId }) => accountId],
  ...PAYMENT_TABLE,
];
