import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { noAccount, type Result, refused, WrongUsage } from "./result.ts";
import type { JsonOption } from "./run-command.ts";
import { reasonOf, withDatabase } from "./with-database.ts";

export interface CsvOption extends JsonOption {
  readonly csv?: string;
}

/** Adds the option of a list that can be exported. */
export function addCsvOption(command: Command): Command {
  return command.option(
    "--csv <file>",
    "write the whole list as CSV, whatever the limit; - is standard output",
  );
}

/** Writes a whole list, of an account or of all (null), to the file that `--csv` names. */
export async function exportCsv(
  settings: Settings,
  accountId: AccountId | null,
  { csv, json }: { readonly csv: string; readonly json?: true | undefined },
  textOf: (database: Database) => AsyncIterable<string>,
): Promise<Result> {
  if (json === true) throw new WrongUsage("--csv and --json are two formats: choose one");
  return withDatabase(settings, async (database) => {
    if (accountId !== null) {
      const details = await readSnapshot(database, (transaction) =>
        readAccountDetails(transaction, accountId),
      );
      if (details === null) return noAccount(accountId);
    }
    const problem = await writeCsv(textOf(database), csv);
    if (problem !== null) return refused(`${problem}; what is written is not whole`);
    return { kind: "written", failure: null };
  });
}

/** Writes text to a file; `-` is standard output. Returns why it failed; null: it is written. */
export async function writeCsv(
  text: Iterable<string> | AsyncIterable<string>,
  file: string,
): Promise<string | null> {
  const lines = Readable.from(text);
  try {
    if (file === "-") await pipeline(lines, process.stdout, { end: false });
    else await pipeline(lines, createWriteStream(file));
    return null;
  } catch (error) {
    return `cannot write ${file}: ${reasonOf(error)}`;
  }
}
