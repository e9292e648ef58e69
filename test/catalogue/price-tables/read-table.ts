import { readFileSync } from "node:fs";
import { exactText } from "../../../shared/catalogue/price-tables/exact-number.ts";
import type { PriceRow } from "../../../shared/catalogue/price-tables/price-row.ts";
import {
  type PriceTable,
  readPriceTable,
} from "../../../shared/catalogue/price-tables/read-price-table.ts";

export const readText = (text: string): PriceTable => readPriceTable(Buffer.from(text));

/** The rows of a table that must be readable. */
export function rowsOf(text: string): readonly PriceRow[] {
  const table = readText(text);
  if (table.kind === "unreadable") throw new Error(problemsOf(text).join("\n"));
  return table.rows;
}

/** Each row as a line: "openai/gpt-5 input_tokens, context from 200001: USD 2.5 for 1000000". */
export const rowTexts = (text: string): string[] => rowsOf(text).map(rowText);

function rowText({ provider, model, kind, band, price, currency, per }: PriceRow): string {
  const from = band.from === 0n ? "" : `, ${band.of} from ${band.from}`;
  return `${provider}/${model} ${kind}${from}: ${currency} ${exactText(price)} for ${per}`;
}

/** Each problem as "line: field: problem". */
export function problemsOf(table: string | Uint8Array): string[] {
  const read = typeof table === "string" ? readText(table) : readPriceTable(table);
  if (read.kind === "read") return [];
  return read.problems.map(({ line, field, problem }) => `${line}: ${field}: ${problem}`);
}

export function leftOutOf(text: string): string[] {
  const table = readText(text);
  if (table.kind === "unreadable") throw new Error(problemsOf(text).join("\n"));
  return table.leftOut.map(({ key, count, firstLine }) => `${firstLine}: ${key} x ${count}`);
}

export const fixture = (name: string): string =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
