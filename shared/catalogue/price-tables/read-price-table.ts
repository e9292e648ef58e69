import { countText } from "../../core/text/text.ts";
import type { Problem } from "../problem.ts";
import type { LeftOut } from "./collect-rows.ts";
import { type Collected, collectRows } from "./collect-rows.ts";
import { isCsvTable, readCsvTable } from "./csv-table.ts";
import { type JsonObject, readJson } from "./json-tree.ts";
import { isLiteLlm, readLiteLlm } from "./litellm.ts";
import { isModelsDev, readModelsDev } from "./models-dev.ts";
import type { PriceRow } from "./price-row.ts";

export type PriceTableFormat = "litellm" | "models.dev" | "csv";

/** A price table, whole, or all that is wrong with it, by line and key. */
export type PriceTable =
  | {
      readonly kind: "read";
      readonly format: PriceTableFormat;
      readonly rows: readonly PriceRow[];
      readonly leftOut: readonly LeftOut[];
    }
  | { readonly kind: "unreadable"; readonly problems: readonly Problem[] };

export const MAX_TABLE_BYTES = 32 << 20;

/** Reads a price table in a format that it shows by itself. README.md has the rules. */
export function readPriceTable(bytes: Uint8Array): PriceTable {
  if (bytes.length > MAX_TABLE_BYTES) {
    return unreadable(`has more than ${countText(MAX_TABLE_BYTES)} bytes`);
  }
  const text = decode(bytes);
  if (text === null) return unreadable("is not UTF-8");
  return /^\s*[{[]/.test(text) ? readJsonTable(text) : readTextTable(text);
}

/** Without a byte order mark; null: the bytes are not UTF-8. */
function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function readTextTable(text: string): PriceTable {
  if (!isCsvTable(text)) return noTable();
  const found = collectRows();
  readCsvTable(text, found);
  return withFormat("csv", found.end());
}

function readJsonTable(text: string): PriceTable {
  const file = readJson(text);
  if ("problem" in file) return { kind: "unreadable", problems: [file] };
  if (file.kind !== "object") return noTable();
  if (isModelsDev(file)) return readWith("models.dev", readModelsDev, file);
  if (isLiteLlm(file)) return readWith("litellm", readLiteLlm, file);
  return noTable();
}

function readWith(
  format: PriceTableFormat,
  read: (file: JsonObject, found: ReturnType<typeof collectRows>) => void,
  file: JsonObject,
): PriceTable {
  const found = collectRows();
  read(file, found);
  return withFormat(format, found.end());
}

function withFormat(format: PriceTableFormat, collected: Collected): PriceTable {
  return collected.kind === "read" ? { ...collected, format } : collected;
}

function noTable(): PriceTable {
  return unreadable(
    "is none of the formats: LiteLLM's model_prices_and_context_window.json, models.dev's api.json, or a CSV whose first line names its columns",
  );
}

function unreadable(problem: string): PriceTable {
  return { kind: "unreadable", problems: [{ line: 1, field: "", problem }] };
}
