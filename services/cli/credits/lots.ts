import type { Command } from "commander";
import { csvText, slicesOf } from "../../../shared/contract/csv-export.ts";
import { LOTS_CSV } from "../../../shared/contract/csv-tables.ts";
import { lot } from "../../../shared/contract/lot.ts";
import { listOf } from "../../../shared/contract/page.ts";
import type { Account, AccountId } from "../../../shared/core/line/account.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import {
  type LotUse,
  listLots,
  readLosses,
  useOf,
} from "../../../shared/ledger/books/granted-lots.ts";
import type { Database, Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { addCsvOption, type CsvOption, exportCsv } from "../shell/csv-file.ts";
import { printable, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, shown } from "../shell/result.ts";
import { addCommand, run } from "../shell/run-command.ts";
import { balanceText, drawLine, stretchText } from "./lot-text.ts";

export function addLotsCommand(program: Command): void {
  const lots = addCommand(program, "lots <account>", {
    does: "list an account's lots, oldest first, and draw its credit line",
    examples: ["lots acme", "lots acme --csv lots.csv"],
  });
  addCsvOption(lots).action((id: string, options: CsvOption) =>
    run(options, (settings) => {
      const accountId = accountIdArgument(id);
      const { csv, json } = options;
      if (csv === undefined) return list(settings, accountId);
      return exportCsv(settings, accountId, { csv, json }, (database) =>
        csvText(LOTS_CSV, lotPages(database, accountId)),
      );
    }),
  );
}

async function* lotPages(database: Database, accountId: AccountId) {
  const lots = await readSnapshot(database, async (transaction) => {
    const details = await readAccountDetails(transaction, accountId);
    return details === null ? [] : readLots(transaction, details.account, Date.now());
  });
  yield* slicesOf(lots);
}

async function readLots(transaction: Transaction, account: Account, at: number) {
  const losses = await readLosses(transaction, account.accountId);
  const lots = await listLots(transaction, account.accountId);
  return lots.map((lot) => ({ ...lot, ...useOf(lot, { ...account, at }, losses) }));
}

function list(settings: Settings, accountId: AccountId): Promise<Result> {
  return readAccountBooks(settings, accountId, async (transaction, { account }) => {
    const at = Date.now();
    const items = await readLots(transaction, account, at);
    return shown(listOf(lot), { items, nextCursor: null }, listText(account, items, at));
  });
}

function listText(account: Account, lots: readonly (GrantedLot & LotUse)[], at: number): string {
  const balance = balanceText(account, lots, at);
  if (lots.length === 0) {
    return `Account ${printable(account.accountId)} has no lots; its balance is ${balance}.`;
  }
  return [
    table(lots, [
      ["LOT", ({ lotId }) => lotId],
      ["SOURCE", ({ source }) => source],
      ["CREDITS", ({ credits }) => formatCredits(credits), "right"],
      ["USED", ({ used }) => formatCredits(used), "right"],
      ["EXPIRED", ({ expired }) => formatCredits(expired), "right"],
      ["WITHDRAWN", ({ withdrawn }) => formatCredits(withdrawn), "right"],
      ["LEFT", ({ remaining }) => formatCredits(remaining), "right"],
      ["GRANTED", ({ grantedAt }) => formatInstant(grantedAt)],
      ["ENDS", ({ expiresAt }) => formatInstant(expiresAt)],
      ["ON THE LINE", stretchText],
    ]),
    "",
    `${drawLine(lots, account.position)}  (# gone, - left, ! debt)`,
    `position ${formatCredits(account.position)}, balance ${balance}`,
  ].join("\n");
}
