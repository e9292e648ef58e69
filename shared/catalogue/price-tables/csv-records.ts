/** A record of a CSV text and the line in which it begins. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

const MOST_CELLS = 64;
const END_OF_BARE_CELL = /[",\r\n]/g;
const LINE_BREAK = /\r\n|\r|\n/g;

/**
 * The records of a CSV text (RFC 4180; lines may end in CRLF, LF or CR), without its blank lines. What is no CSV
 * ends them: `fault` is called with the line and the reason.
 */
export function* csvRecords(
  text: string,
  fault: (line: number, problem: string) => void,
): Generator<CsvRecord> {
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const { cells, lines, end, problem } = readRecord(text, at);
    if (problem !== null) {
      fault(line + lines, problem);
      return;
    }
    if (cells.length > 1 || cells[0] !== "") yield { line, cells };
    line += lines;
    at = end;
  }
}

/** One record and the lines it takes; with a problem, the lines before it. */
function readRecord(text: string, from: number) {
  const cells: string[] = [];
  let lines = 0;
  for (let at = from; ; ) {
    const cell = text[at] === '"' ? quotedCell(text, at) : bareCell(text, at);
    if ("problem" in cell) return { cells, lines, end: at, problem: cell.problem };
    if (cells.length === MOST_CELLS) {
      return { cells, lines, end: at, problem: `has more than ${MOST_CELLS} cells` };
    }
    cells.push(cell.text);
    lines += cell.text.match(LINE_BREAK)?.length ?? 0;
    at = cell.end + (text.startsWith("\r\n", cell.end) ? 2 : 1);
    if (text[cell.end] !== ",") return { cells, lines: lines + 1, end: at, problem: null };
  }
}

type Cell = { readonly text: string; readonly end: number } | { readonly problem: string };

function quotedCell(text: string, at: number): Cell {
  let end = text.indexOf('"', at + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  if (end < 0) return { problem: "opens a quote that is never closed" };
  const after = text[end + 1] ?? ",";
  if (!",\r\n".includes(after)) return { problem: "goes on after a closing quote" };
  return { text: text.slice(at + 1, end).replaceAll('""', '"'), end: end + 1 };
}

function bareCell(text: string, at: number): Cell {
  END_OF_BARE_CELL.lastIndex = at;
  const end = END_OF_BARE_CELL.exec(text)?.index ?? text.length;
  if (text[end] !== '"') return { text: text.slice(at, end), end };
  return { problem: "has a quote within a cell; put the cell in quotes and double those within" };
}
