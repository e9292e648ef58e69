import type { Command } from "commander";
import type { Account, AccountId } from "../../../shared/core/line/account.ts";
import { balanceOf, type MicroCredits } from "../../../shared/core/line/credit-line.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { listEntries, type PostedEntry } from "../../../shared/ledger/books/list-entries.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, limitArgument, wholeArgument } from "../shell/arguments.ts";
import { instantJson, printable, table } from "../shell/print.ts";
import { noAccount, type Result, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { entryJson } from "./entry-text.ts";

interface EntriesOptions extends JsonOption {
  readonly limit: string;
  readonly before?: string;
}

/** Which of the entries to list: the last ones, or the last ones before a sequence. */
interface Page {
  readonly limit: number;
  readonly before: bigint | null;
}

interface Listed {
  readonly account: Account;
  /** Oldest first. */
  readonly entries: readonly PostedEntry[];
  /** Where the page before this one goes on, or null when there is none. */
  readonly nextBefore: bigint | null;
  /** The usage since the last of all entries; null where that is not on this page. */
  readonly usedSince: MicroCredits | null;
}

const MOST_ENTRIES = 10_000;

export function addEntriesCommand(program: Command): void {
  addCommand(program, "entries <account>", {
    does: "list an account's latest entries, oldest first, with the usage in between: each balance is the one above it, less that usage, plus the entry's credits",
    examples: ["entries acme", "entries acme --limit 100 --before 42"],
  })
    .option("--limit <count>", `how many to list, at most ${MOST_ENTRIES}`, "20")
    .option("--before <number>", "only entries before the one of this number")
    .action((id: string, options: EntriesOptions) =>
      run(options, (settings) => list(settings, accountIdArgument(id), toPage(options))),
    );
}

function toPage({ limit, before }: EntriesOptions): Page {
  return {
    limit: limitArgument(limit, MOST_ENTRIES),
    before: before === undefined ? null : wholeArgument("--before", before, 1n),
  };
}

async function list(settings: Settings, accountId: AccountId, page: Page): Promise<Result> {
  const listed = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction): Promise<Listed | null> => {
      const details = await readAccountDetails(transaction, accountId);
      if (details === null) return null;
      const oneMore = { ...page, limit: page.limit + 1 };
      const read = await listEntries(transaction, accountId, oneMore);
      return toListed(details.account, read, page);
    }),
  );
  if (listed === null) return noAccount(accountId);
  return shown(listedJson(listed), listedText(listed));
}

function toListed(account: Account, read: readonly PostedEntry[], { limit }: Page): Listed {
  const entries = read.slice(-limit);
  const last = entries.at(-1);
  return {
    account,
    entries,
    nextBefore: read.length > limit ? (entries[0]?.sequence ?? null) : null,
    usedSince:
      (last?.sequence ?? 0n) === account.entries
        ? (last === undefined ? 0n : balanceOf(last)) - balanceOf(account)
        : null,
  };
}

function listedJson({ account, entries, nextBefore, usedSince }: Listed) {
  return {
    account_id: account.accountId,
    balance: balanceOf(account),
    entries: entries.map((entry) => ({
      ...entryJson(entry),
      posted_at: instantJson(entry.postedAt),
      used_before: entry.usedBefore,
    })),
    used_since: usedSince,
    next_before: nextBefore,
  };
}

function listedText({ account, entries, nextBefore, usedSince }: Listed): string {
  const balance = formatCredits(balanceOf(account));
  const lines: string[] = [];
  if (entries.length > 0) lines.push(entryTable(entries));
  else
    lines.push(
      `Account ${printable(account.accountId)} has no ${usedSince === null ? "such entries" : "entries"}.`,
    );
  if (nextBefore !== null) lines.push(`There are earlier ones: --before ${nextBefore}`);
  if (usedSince !== null) {
    lines.push(
      `Used since: ${formatCredits(usedSince)} credits; the balance is ${balance} credits.`,
    );
  }
  return lines.join("\n");
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
