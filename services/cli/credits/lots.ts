import type { Command } from "commander";
import { lot } from "../../../shared/contract/lot.ts";
import { listOf } from "../../../shared/contract/page.ts";
import type { Account, AccountId } from "../../../shared/core/line/account.ts";
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
import { balanceText, drawLine, stretchText } from "./lot-text.ts";

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
    const at = Date.now();
    const items = lots.map((lot) => ({ ...lot, ...useOf(lot, { ...account, at }, losses) }));
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
