import { isCurrency } from "../../core/text/money.ts";
import { countText } from "../../core/text/text.ts";
import { nearestName } from "../nearest-name.ts";
import { short } from "../problem.ts";
import type { RowCollector } from "./collect-rows.ts";
import { type CsvRecord, csvRecords } from "./csv-records.ts";
import { exactOr } from "./exact-number.ts";
import { type Band, NO_BAND } from "./price-row.ts";

const REQUIRED = ["provider", "model", "kind", "price"] as const;
const OPTIONAL = ["per", "currency", "from_quantity", "from_context"] as const;
const COLUMNS = [...REQUIRED, ...OPTIONAL];
type Column = (typeof COLUMNS)[number];

/** True when the first line of a text names a column of a price table. */
export function isCsvTable(text: string): boolean {
  const [header] = csvRecords(text.slice(0, 10_000), () => undefined);
  return header?.cells.some((name) => COLUMNS.some((column) => column === name)) ?? false;
}

/** Reads a CSV with the columns that README.md lists, in any order. */
export function readCsvTable(text: string, found: RowCollector): void {
  const records = csvRecords(text, (line, problem) => found.refuse(line, "", problem));
  let header: readonly Column[] | null = null;
  for (const record of records) {
    if (header !== null) readRecord(header, record, found);
    else {
      header = readHeader(record, found);
      if (header === null) return;
    }
  }
}

function readHeader({ line, cells }: CsvRecord, found: RowCollector): readonly Column[] | null {
  const header: Column[] = [];
  let isSound = true;
  const refuse = (field: string, problem: string) => {
    found.refuse(line, field, problem);
    isSound = false;
  };
  for (const name of cells) {
    const column = COLUMNS.find((known) => known === name);
    if (column === undefined) refuse(short(name), unknownColumn(name));
    else if (header.includes(column)) refuse(name, "is a column twice");
    else header.push(column);
  }
  for (const column of REQUIRED) {
    if (!header.includes(column)) refuse(column, "is missing among the columns");
  }
  return isSound ? header : null;
}

function unknownColumn(name: string): string {
  const nearest = nearestName(short(name), COLUMNS);
  return nearest === null
    ? `is no column of a price table; there are ${COLUMNS.join(", ")}`
    : `is no column of a price table; did you mean ${nearest}?`;
}

function readRecord(
  header: readonly Column[],
  { line, cells }: CsvRecord,
  found: RowCollector,
): void {
  if (cells.length !== header.length) {
    found.refuse(line, "", `has ${cells.length} cells for ${header.length} columns`);
    return;
  }
  const cell = (column: Column) => cells[header.indexOf(column)] ?? "";
  const refuse = (column: Column, problem: string) => found.refuse(line, column, problem);
  const price = exactOr(cell("price"), (problem) => refuse("price", problem));
  const per = cell("per") === "" ? 1n : wholeFrom(1n, cell("per"));
  const band = bandOf(cell, refuse);
  const currency = cell("currency") || "USD";
  if (per === null) refuse("per", `must be a whole number from 1 to ${countText(LARGEST)}`);
  if (!isCurrency(currency)) refuse("currency", "is not a currency of ISO 4217; write it like EUR");
  else if (price !== null && per !== null && band !== null) {
    const key = { kind: cell("kind"), provider: cell("provider"), model: cell("model"), band };
    found.add({ ...key, price, currency, per, place: { line, field: "" } });
  }
}

const LARGEST = 10n ** 12n;

function wholeFrom(least: bigint, text: string): bigint | null {
  const number = /^\d{1,13}$/.test(text) ? BigInt(text) : -1n;
  return number >= least && number <= LARGEST ? number : null;
}

/** The band of a row; null once it was told what is wrong with it. */
function bandOf(
  cell: (column: Column) => string,
  refuse: (column: Column, problem: string) => void,
): Band | null {
  const column = cell("from_context") === "" ? "from_quantity" : "from_context";
  const from = cell(column) === "" ? 0n : wholeFrom(0n, cell(column));
  if (column === "from_context" && cell("from_quantity") !== "") {
    refuse(column, "must be empty where from_quantity is not");
    return null;
  }
  if (from === null) {
    refuse(column, `must be a whole number up to ${countText(LARGEST)}`);
    return null;
  }
  return from === 0n ? NO_BAND : { of: column === "from_context" ? "context" : "quantity", from };
}
