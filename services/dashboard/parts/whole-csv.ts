import { type Cell, csvLine } from "../../../shared/core/text/csv-text.ts";

/** Some rows of an export; `next` asks for those behind them, null: there are none. */
export interface ExportedRows {
  readonly rows: readonly (readonly Cell[])[];
  readonly next: string | null;
}

/** The text of all rows, in parts. Throws what `load` throws. */
export async function wholeCsv(
  columns: readonly string[],
  load: (cursor: string | null) => Promise<ExportedRows>,
  onRows: (rows: bigint) => void,
): Promise<string[]> {
  const parts = [csvLine(columns)];
  let rows = 0n;
  let cursor: string | null = null;
  do {
    const page: ExportedRows = await load(cursor);
    parts.push(page.rows.map(csvLine).join(""));
    rows += BigInt(page.rows.length);
    onRows(rows);
    cursor = page.next;
  } while (cursor !== null);
  return parts;
}

/** "acme-usage-2026-11-01-to-2026-11-28": characters that file names may not have become dashes. */
export function fileName(account: string, what: string, from?: number, to?: number): string {
  const range = [from, to].flatMap((at) => (at === undefined ? [] : [day(at)]));
  return [account, what, range.join("-to-")]
    .filter((part) => part !== "")
    .join("-")
    .replaceAll(/[^\w.-]+/g, "-");
}

function day(at: number): string {
  return new Date(at)
    .toISOString()
    .slice(0, 16)
    .replace("T00:00", "")
    .replace("T", "-")
    .replace(":", "");
}
