import type { Command } from "commander";
import { z } from "zod";
import { invoicing, invoicingFields, toInvoicing } from "../../../shared/contract/invoicing.ts";
import { noun } from "../../../shared/contract/noun.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import {
  type InvoicedElsewhere,
  readInvoicedElsewhere,
  setInvoicedElsewhere,
} from "../../../shared/ledger/payments/invoiced-elsewhere.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import {
  addChangeCommand,
  type ByOption,
  type ChangeRequest,
  toRequest,
} from "../shell/change-command.ts";
import { fields, printable } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { noAccount, type Result, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, forAccount, run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";

export function addInvoicingCommands(program: Command): void {
  const group = program
    .command("invoicing")
    .description("set and show who collects an account's plan fees");
  addChangeCommand(group, "set <account> <where>", {
    does: "mark an account as invoiced elsewhere, so that its plan fees are not charged here and need no payment method; or as invoiced here again",
    examples: ["invoicing set acme elsewhere --by finance"],
  }).action((id: string, where: string, options: ByOption) =>
    run(options, (settings) => set(settings, toRequest(id, options), isElsewhere(where))),
  );
  addCommand(group, "show <account>", {
    does: "show whether an account is invoiced elsewhere, and who said so",
    examples: ["invoicing show acme"],
  }).action(forAccount(show));
}

function isElsewhere(where: string): boolean {
  if (where === "elsewhere" || where === "here") return where === "elsewhere";
  throw new WrongUsage(`where must be elsewhere or here, not "${printable(where)}"`);
}

const invoicingSet = noun({
  outcome: z.literal("set"),
  ...invoicingFields,
  invoiced: z.array(z.string()).meta({ description: "The open fees that count as paid." }),
});

async function set(
  settings: Settings,
  request: ChangeRequest,
  elsewhere: boolean,
): Promise<Result> {
  const { accountId: id, by } = request;
  const now = Date.now();
  const outcome = await withDatabase(settings, (database) =>
    orUnknown(
      setInvoicedElsewhere(database, { ...request, now }, elsewhere),
      "it may or may not have been set; run it again, which is safe",
    ),
  );
  if (outcome.kind === "unknown_account") return noAccount(id);
  const { kind, invoiced } = outcome;
  const settled = invoiced.map((paymentId) => `Fee ${paymentId} counts as paid.`);
  return shown(
    invoicingSet,
    {
      ...toInvoicing(id, elsewhere ? { setBy: by, setAt: now } : null),
      ...{ outcome: kind, invoiced },
    },
    [placeText(id, elsewhere), ...settled].join("\n"),
  );
}

function show(settings: Settings, id: AccountId): Promise<Result> {
  return readAccountBooks(settings, id, async (transaction) => {
    const stored = await readInvoicedElsewhere(transaction, id);
    return shown(invoicing, toInvoicing(id, stored), shownText(id, stored));
  });
}

function shownText(id: AccountId, stored: InvoicedElsewhere | null): string {
  if (stored === null) return placeText(id, false);
  return fields([
    ["account", id],
    ["invoiced", "elsewhere: its plan fees are not charged here"],
    ["set by", stored.setBy],
    ["set", formatInstant(stored.setAt)],
  ]);
}

function placeText(id: AccountId, elsewhere: boolean): string {
  return elsewhere
    ? `Account ${printable(id)} is invoiced elsewhere: its plan fees are not charged here.`
    : `The plan fees of account ${printable(id)} are charged through the payment gateway.`;
}
