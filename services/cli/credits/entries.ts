import type { Command } from "commander";
import type { PageAsked } from "../../../shared/contract/cursor.ts";
import { entry, entryPage } from "../../../shared/contract/entry.ts";
import { listOf } from "../../../shared/contract/page.ts";
import type { Account, AccountId } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { listEntries, type PostedEntry } from "../../../shared/ledger/books/list-entries.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { printable, table } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { addCommand, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

interface Listed {
  readonly account: Account;
  /** Newest first. */
  readonly items: readonly PostedEntry[];
  readonly nextCursor: string | null;
}

export function addEntriesCommand(program: Command): void {
  const entries = addCommand(program, "entries <account>", {
    does: "list an account's latest entries, oldest first, with the usage in between: each balance is the one above it, less that usage, plus the entry's credits",
    examples: ["entries acme", "entries acme --limit 100"],
  });
  addPageOptions(entries).action((id: string, options: PageOptions) =>
    run(options, (settings) => list(settings, accountIdArgument(id), pageArgument(options))),
  );
}

async function list(settings: Settings, accountId: AccountId, page: PageAsked): Promise<Result> {
  const listed = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      const details = await readAccountDetails(transaction, accountId);
      if (details === null) return null;
      const read = await entryPage(page, (asked) => listEntries(transaction, accountId, asked));
      return { account: details.account, ...read };
    }),
  );
  return listed === null ? noAccount(accountId) : shown(listOf(entry), listed, listedText(listed));
}

function listedText({ account, items, nextCursor }: Listed): string {
  const balance = balanceOf(account);
  const last = items[0];
  const isNewest = (last?.sequence ?? 0n) === account.entries;
  const used = (last === undefined ? 0n : balanceOf(last)) - balance;
  return [
    items.length > 0
      ? entryTable(items.toReversed())
      : `Account ${printable(account.accountId)} has no ${isNewest ? "entries" : "such entries"}.`,
    ...moreLines(nextCursor),
    ...(isNewest
      ? [
          `Used since: ${formatCredits(used)} credits; the balance is ${formatCredits(balance)} credits.`,
        ]
      : []),
  ].join("\n");
}

function entryTable(entries: readonly PostedEntry[]): string {
  return table(
    [
      { title: "ENTRY", align: "right" },
      { title: "POSTED" },
      { title: "KIND" },
      { title: "USED BEFORE", align: "right" },
      { title: "CREDITS", align: "right" },
      { title: "BALANCE", align: "right" },
      { title: "LOT" },
      { title: "REFERENCE" },
      { title: "DUE" },
    ],
    entries.map((entry) => [
      entry.sequence,
      formatInstant(entry.postedAt),
      entry.kind,
      formatCredits(entry.usedBefore),
      formatCredits(entry.credits),
      formatCredits(balanceOf(entry)),
      entry.lotId ?? "",
      entry.reference,
      formatInstant(entry.dueAt),
    ]),
  );
}
