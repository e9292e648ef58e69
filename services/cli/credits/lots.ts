import type { Command } from "commander";
import { lot } from "../../../shared/contract/lot.ts";
import { listOf } from "../../../shared/contract/page.ts";
import type { Account } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
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
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { printable, table } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { drawLine, stretchText } from "./lot-text.ts";

interface AccountLots {
  readonly account: Account;
  readonly lots: readonly { readonly lot: GrantedLot; readonly use: LotUse }[];
}

export function addLotsCommand(program: Command): void {
  addCommand(program, "lots <account>", {
    does: "list an account's lots, oldest first, and draw its credit line",
    examples: ["lots acme"],
  }).action((id: string, options: JsonOption) => run(options, (settings) => list(settings, id)));
}

async function list(settings: Settings, id: string): Promise<Result> {
  const accountId = accountIdArgument(id);
  const found = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction): Promise<AccountLots | null> => {
      const details = await readAccountDetails(transaction, accountId);
      if (details === null) return null;
      const { account } = details;
      const losses = await readLosses(transaction, accountId);
      const lots = await listLots(transaction, accountId);
      return {
        account,
        lots: lots.map((lot) => ({ lot, use: useOf(lot, account.position, losses) })),
      };
    }),
  );
  if (found === null) return noAccount(accountId);
  const items = found.lots.map(({ lot: granted, use }) => ({ ...granted, ...use }));
  return shown(listOf(lot), { items, nextCursor: null }, listText(found));
}

function listText({ account, lots }: AccountLots): string {
  if (lots.length === 0) {
    return `Account ${printable(account.accountId)} has no lots; its balance is ${formatCredits(balanceOf(account))} credits.`;
  }
  const rows = lots.map(({ lot, use }) => [
    lot.lotId,
    lot.source,
    formatCredits(lot.credits),
    formatCredits(use.used),
    formatCredits(use.expired),
    formatCredits(use.withdrawn),
    formatCredits(use.remaining),
    formatInstant(lot.grantedAt),
    formatInstant(lot.expiresAt),
    stretchText(lot),
  ]);
  const line = drawLine(
    lots.map(({ lot }) => lot),
    account.position,
  );
  return [
    table(
      [
        { title: "LOT" },
        { title: "SOURCE" },
        { title: "CREDITS", align: "right" },
        { title: "USED", align: "right" },
        { title: "EXPIRED", align: "right" },
        { title: "WITHDRAWN", align: "right" },
        { title: "LEFT", align: "right" },
        { title: "GRANTED" },
        { title: "ENDS" },
        { title: "ON THE LINE" },
      ],
      rows,
    ),
    "",
    `${line}  (# gone, - left, ! debt)`,
    `position ${formatCredits(account.position)}, balance ${formatCredits(balanceOf(account))} credits`,
  ].join("\n");
}
