import type { Command } from "commander";
import { lot } from "../../../shared/contract/lot.ts";
import { listOf } from "../../../shared/contract/page.ts";
import type { Account, AccountId } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import {
  type LotUse,
  listLots,
  readLosses,
  useOf,
} from "../../../shared/ledger/books/granted-lots.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { printable, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, shown } from "../shell/result.ts";
import { addCommand, forAccount } from "../shell/run-command.ts";
import { drawLine, stretchText } from "./lot-text.ts";

export function addLotsCommand(program: Command): void {
  addCommand(program, "lots <account>", {
    does: "list an account's lots, oldest first, and draw its credit line",
    examples: ["lots acme"],
  }).action(forAccount(list));
}

function list(settings: Settings, accountId: AccountId): Promise<Result> {
  return readAccountBooks(settings, accountId, async (transaction, { account }) => {
    const losses = await readLosses(transaction, accountId);
    const lots = await listLots(transaction, accountId);
    const items = lots.map((lot) => ({ ...lot, ...useOf(lot, account.position, losses) }));
    return shown(listOf(lot), { items, nextCursor: null }, listText(account, items));
  });
}

function listText(account: Account, lots: readonly (GrantedLot & LotUse)[]): string {
  const balance = formatCredits(balanceOf(account));
  if (lots.length === 0) {
    return `Account ${printable(account.accountId)} has no lots; its balance is ${balance} credits.`;
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
    `position ${formatCredits(account.position)}, balance ${balance} credits`,
  ].join("\n");
}
