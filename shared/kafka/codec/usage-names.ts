import { isUtf8 } from "node:buffer";
import avro from "avsc";
import { NameTable } from "../../core/usage/name-table.ts";
import type { EventNames } from "../../core/usage/usage-columns.ts";
import { TEXT_PROBLEM } from "../../core/usage/usage-event.ts";
import { readBounded } from "../patches/bounded-tap.ts";
import { SCHEMAS } from "./schemas.ts";

/** Of each kind of name; one batch may add its own beyond that. */
const MOST_NAMES = 200_000;
const MOST_BYTES = 16 << 20;
/** An Avro map without entries. */
const NO_ENTRIES = Uint8Array.of(0);
const NO_TEXT = Uint8Array.of();

/** Keeps names across batches: those of the last call, or none if they have become too many. */
export function keepNames(): () => EventNames {
  let names = openNames();
  return () => {
    if (Object.values(names).some(isFull)) names = openNames();
    return names;
  };
}

function isFull({ size, length }: NameTable<unknown>): boolean {
  return size > MOST_NAMES || length > MOST_BYTES;
}

function openNames(): EventNames {
  const names: EventNames = {
    accounts: textTable(TEXT_PROBLEM.accountId),
    meters: textTable(TEXT_PROBLEM.meter),
    sources: textTable(TEXT_PROBLEM.source),
    dimensions: new NameTable(readDimensions),
    holds: textTable(TEXT_PROBLEM.holdId),
  };
  names.dimensions.numberOf(NO_ENTRIES, 0, NO_ENTRIES.length);
  names.holds.numberOf(NO_TEXT, 0, NO_TEXT.length);
  return names;
}

/** Without what is not UTF-8: different bytes would have the same text. */
function textTable(problemOf: (text: string) => string | null): NameTable<string> {
  return new NameTable((bytes) => {
    if (!isUtf8(bytes)) return null;
    const text = Buffer.from(bytes).toString();
    return problemOf(text) === null ? text : null;
  });
}

const DIMENSIONS = dimensionsType();

function readDimensions(bytes: Uint8Array): Readonly<Record<string, string>> | null {
  try {
    const { value, end } = readBounded(DIMENSIONS, Buffer.from(bytes), 0);
    const dimensions = value as Readonly<Record<string, string>>;
    return end === bytes.length && TEXT_PROBLEM.dimensions(dimensions) === null ? dimensions : null;
  } catch {
    return null;
  }
}

function dimensionsType(): avro.Type {
  const { type } = SCHEMAS.usageEvents;
  const field = type instanceof avro.types.RecordType ? type.field("dimensions") : undefined;
  if (field === undefined) throw new Error("usage events have no dimensions");
  return field.type;
}
