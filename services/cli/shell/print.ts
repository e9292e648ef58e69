/** JSON as `--json` shows it: amounts and other bigints are decimal strings. */
export function toJson(value: unknown, indent = 2): string {
  return JSON.stringify(
    value,
    (_, part) => (typeof part === "bigint" ? String(part) : part),
    indent,
  );
}

/** Text from outside on one line: control characters would else reach the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/** A column of a table: its title, numbers to the right. */
export interface Column {
  readonly title: string;
  readonly align?: "right";
}

/** Rows under their titles, two spaces between columns. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly (string | number | bigint)[])[],
): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => row.map((cell) => printable(String(cell)))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, at) => pad(cell, at))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");

  function pad(cell: string, at: number): string {
    const width = widths[at] ?? 0;
    return columns[at]?.align === "right" ? cell.padStart(width) : cell.padEnd(width);
  }
}

/** Names and values under one another. */
export function fields(rows: readonly (readonly [name: string, value: string])[]): string {
  const lines = rows.map(([name, value]) => [printable(name), printable(value)] as const);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
