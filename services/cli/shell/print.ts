/** JSON as `--json` shows it: amounts and other bigints are decimal strings. */
export function toJson(value: unknown, indent = 2): string {
  return JSON.stringify(
    value,
    (_, part) => (typeof part === "bigint" ? String(part) : part),
    indent,
  );
}

/** Text from outside, on one line and without control characters that the terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/** A column of a table: its title, its cell in a row, and "right" for numbers. */
export type Column<Row> = readonly [
  title: string,
  cell: (row: Row) => string | number | bigint,
  align?: "right" | undefined,
];

/** Rows under the titles of their columns, two spaces between columns. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const padded = columns.map(([title, cell, align]) => {
    const cells = [title, ...rows.map((row) => printable(String(cell(row))))];
    const width = cells.reduce((most, text) => Math.max(most, text.length), 0);
    return cells.map((text) => (align === "right" ? text.padStart(width) : text.padEnd(width)));
  });
  const lines = [null, ...rows].map((_, at) => padded.map((cells) => cells[at]).join("  "));
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** Names and values, one pair a line. */
export function fields(rows: readonly (readonly [name: string, value: string])[]): string {
  const lines = rows.map(([name, value]) => [printable(name), printable(value)] as const);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
