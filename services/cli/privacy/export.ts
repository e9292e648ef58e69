import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { EXPORTED_TABLES, exportAccount } from "../../../shared/ledger/privacy/export-account.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { printable } from "../shell/print.ts";
import { openProgress, type Progress } from "../shell/progress.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import type { JsonOption } from "../shell/run-command.ts";
import { reasonOf } from "../shell/with-database.ts";

export interface ExportOptions extends JsonOption {
  readonly output: string;
}

const written = noun({ account_id: accountId, file: z.string(), rows: z.number() });

/** Writes everything held about an account, as it was at one instant, to a file or (`-`) to standard output. */
export function writeExport(
  settings: Settings,
  id: AccountId,
  { output }: ExportOptions,
): Promise<Result> {
  return readAccountBooks(settings, id, async (transaction) => {
    using progress = openProgress(EXPORTED_TABLES.length, countOf(EXPORTED_TABLES.length, "table"));
    let rows = 0;
    const count = (more: number) => {
      rows += more;
    };
    const parts = exportAccount(transaction, id, Date.now());
    const text = Readable.from(textOf(parts, progress, count));
    try {
      if (output === "-") await pipeline(text, process.stdout, { end: false });
      // It holds what is personal: for nobody else to read.
      else await pipeline(text, createWriteStream(output, { mode: 0o600 }));
    } catch (error) {
      const file = output === "-" ? "standard output" : output;
      return refused(`cannot write ${file}: ${reasonOf(error)}; what is written is not whole`);
    }
    if (output === "-") return { kind: "written", failure: null };
    const sentence = `${countOf(rows, "row")} of ${printable(id)} written to ${printable(output)}.`;
    return shown(written, { accountId: id, file: output, rows }, sentence);
  });
}

async function* textOf(
  parts: ReturnType<typeof exportAccount>,
  progress: Progress,
  count: (rows: number) => void,
): AsyncGenerator<string> {
  let table = "";
  for await (const part of parts) {
    if (part.table !== table) progress.add(1);
    table = part.table;
    count(part.rows);
    yield part.text;
  }
}
