import type { Command } from "commander";
import { CSV_PAGE, csvText, pagesOf } from "../../../shared/contract/csv-export.ts";
import { ENTRIES_CSV } from "../../../shared/contract/csv-tables.ts";
import { entry, entryPage, toEntry } from "../../../shared/contract/entry.ts";
import { listOf } from "../../../shared/contract/page.ts";
import type { Account, AccountId } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { listEntries, type PostedEntry } from "../../../shared/ledger/books/list-entries.ts";
import { readLotsIfDue } from "../../../shared/ledger/books/read-lots.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { addCsvOption, type CsvOption, exportCsv } from "../shell/csv-file.ts";
import { addPageOptions, moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { printable, table } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { shown } from "../shell/result.ts";
import { addCommand, run } from "../shell/run-command.ts";
import { balanceText } from "./lot-text.ts";

export function addEntriesCommand(program: Command): void {
  const entries = addCommand(program, "entries <account>", {
    does: "list an account's latest entries, oldest first, with the usage in between: each balance is the one above it, less that usage, plus the entry's credits",
    examples: ["entries acme", "entries acme --limit 100", "entries acme --csv entries.csv"],
  });
  addCsvOption(addPageOptions(entries)).action((id: string, options: PageOptions & CsvOption) =>
    run(options, (settings) => {
      const accountId = accountIdArgument(id);
      const { csv, json } = options;
      if (csv !== undefined) {
        return exportCsv(settings, accountId, { csv, json }, (database) =>
          csvText(ENTRIES_CSV, entryPages(database, accountId)),
        );
      }
      const page = pageArgument(options);
      return readAccountBooks(settings, accountId, async (transaction, { account }) => {
        const at = Date.now();
        const left = balanceText(account, await readLotsIfDue(transaction, account, at), at);
        const entries = await entryPage(page, (range) =>
          listEntries(transaction, accountId, range),
        );
        return shown(listOf(entry), entries, listedText(account, entries, left));
      });
    }),
  );
}

/** All entries, newest first. */
function entryPages(database: Database, accountId: AccountId) {
  return pagesOf<ReturnType<typeof toEntry<PostedEntry>>>(async (last) => {
    const range = { before: last?.sequence ?? null, limit: CSV_PAGE };
    const entries = await readSnapshot(database, (transaction) =>
      listEntries(transaction, accountId, range),
    );
    return entries.toReversed().map(toEntry);
  });
}

/** A page of entries, newest first. */
interface Page {
  readonly items: readonly PostedEntry[];
  readonly nextCursor: string | null;
}

function listedText(account: Account, { items, nextCursor }: Page, left: string): string {
  const balance = balanceOf(account);
  const last = items[0];
  const isNewest = (last?.sequence ?? 0n) === account.entries;
  const used = (last === undefined ? 0n : balanceOf(last)) - balance;
  const none = `Account ${printable(account.accountId)} has no ${isNewest ? "entries" : "such entries"}.`;
  const now = `Used since: ${formatCredits(used)} credits; the balance is ${left}.`;
  return [
    items.length > 0 ? entryTable(items.toReversed()) : none,
    ...moreLines(nextCursor),
    ...(isNewest ? [now] : []),
  ].join("\n");
}

function entryTable(entries: readonly PostedEntry[]): string {
  return table(entries, [
    ["ENTRY", ({ sequence }) => sequence, "right"],
    ["POSTED", ({ postedAt }) => formatInstant(postedAt)],
    ["KIND", ({ kind }) => kind],
    ["USED BEFORE", ({ usedBefore }) => formatCredits(usedBefore), "right"],
    ["CREDITS", ({ credits }) => formatCredits(credits), "right"],
    ["BALANCE", (entry) => formatCredits(balanceOf(entry)), "right"],
    ["LOT", ({ lotId }) => lotId ?? ""],
    ["REFERENCE", ({ reference }) => reference],
    ["BY", ({ postedBy }) => postedBy ?? ""],
    ["DUE", ({ dueAt }) => formatInstant(dueAt)],
  ]);
}
