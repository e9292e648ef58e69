import type { Command } from "commander";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { Payment } from "../../../shared/core/payments/payment.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { listPayments } from "../../../shared/ledger/payments/payments.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, limitArgument } from "../shell/arguments.ts";
import { printable } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { paymentJson, paymentTable } from "./payment-text.ts";

interface ListOptions extends JsonOption {
  readonly limit: string;
}

const MOST_PAYMENTS = 10_000;

export function addPaymentsCommand(program: Command): void {
  const does = "list what an account was charged, newest first: top-ups, and fees of subscriptions";
  addListCommand(program, "payments <account>", {
    ...{ does, examples: ["payments acme --limit 100"] },
    listed: { kind: null, field: "payments", called: "payments" },
  });
}

export function addTopUpListCommand(topUp: Command): void {
  addListCommand(topUp, "list <account>", {
    does: "list an account's top-ups, newest first",
    examples: ["top-up list acme --limit 100"],
    listed: { kind: "top_up", field: "top_ups", called: "top-ups" },
  });
}

/** Which payments are listed, and what they are called. */
interface Listed {
  /** Null: all. */
  readonly kind: Payment["kind"] | null;
  readonly field: string;
  readonly called: string;
}

function addListCommand(
  parent: Command,
  usage: string,
  {
    listed,
    ...about
  }: { readonly does: string; readonly examples: readonly string[]; readonly listed: Listed },
): void {
  addCommand(parent, usage, about)
    .option("--limit <count>", `how many to list, at most ${MOST_PAYMENTS}`, "20")
    .action((id: string, options: ListOptions) =>
      run(options, (settings) =>
        list(settings, accountIdArgument(id), limitArgument(options.limit, MOST_PAYMENTS), listed),
      ),
    );
}

async function list(
  settings: Settings,
  accountId: AccountId,
  limit: number,
  { kind, field, called }: Listed,
): Promise<Result> {
  const read = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      if ((await readAccountDetails(transaction, accountId)) === null) return null;
      return listPayments(transaction, accountId, limit + 1, kind);
    }),
  );
  if (read === null) return noAccount(accountId);
  const payments = read.slice(0, limit);
  const areMore = read.length > limit;
  const json = { account_id: accountId, [field]: payments.map(paymentJson), more: areMore };
  if (payments.length === 0) {
    return shown(json, `Account ${printable(accountId)} has no ${called}.`);
  }
  const more = areMore ? `\n${moreText(limit)}` : "";
  return shown(json, `${paymentTable(payments)}${more}`);
}

function moreText(limit: number): string {
  return limit < MOST_PAYMENTS
    ? "There are earlier ones: a larger --limit lists them."
    : `There are earlier ones, but at most ${MOST_PAYMENTS} are listed.`;
}
