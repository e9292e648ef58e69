/** Text from anywhere, or a number, which is written as it is. */
export type Cell = string | bigint | { readonly number: string };

/**
 * One row of a table as CSV (RFC 4180), with its end of line. Text that a spreadsheet would take for a
 * formula gets an apostrophe before it, because sources, references and dimensions come from outside.
 */
export function csvLine(row: readonly Cell[]): string {
  return `${row.map(cellText).join(",")}\r\n`;
}

function cellText(cell: Cell): string {
  if (typeof cell === "bigint") return cell.toString();
  if (typeof cell === "object") return cell.number;
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
