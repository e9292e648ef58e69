import { countText } from "../../core/text/text.ts";
import type { Problem } from "../problem.ts";
import { type JsonScanner, notJson, scanJson } from "./json-scanner.ts";

/** A value of a JSON text, with its line. Numbers stay the text that was written. */
export type Json = JsonObject | JsonList | JsonScalar;

export interface JsonObject {
  readonly kind: "object";
  readonly line: number;
  /** All of them in their order: a name that is stated twice is here twice. */
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  readonly name: string;
  readonly line: number;
  readonly value: Json;
}

export interface JsonList {
  readonly kind: "list";
  readonly line: number;
  readonly items: readonly Json[];
}

export interface JsonScalar {
  readonly kind: "text" | "number" | "true" | "false" | "null";
  readonly line: number;
  readonly text: string;
}

const DEEPEST = 32;
const MOST_VALUES = 2_000_000;

/**
 * Reads JSON, or says where it is none. `JSON.parse` would do with its reviver's `context.source` for exact
 * numbers, but it merges what is stated twice and knows no lines.
 */
export function readJson(json: string): Json | Problem {
  const scanner = scanJson(json);
  try {
    const value = readValue({ scanner, values: 0 }, 1);
    if (scanner.peek() !== "") throw notJson("it goes on after its end");
    return value;
  } catch (fault) {
    if (!(fault instanceof RangeError)) throw fault;
    return { line: scanner.line(), field: "", problem: fault.message };
  }
}

interface Reading {
  readonly scanner: JsonScanner;
  /** How many have been read. */
  values: number;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

function readValue(reading: Reading, depth: number): Json {
  const { scanner } = reading;
  const sign = scanner.peek();
  const line = scanner.line();
  reading.values += 1;
  if (reading.values > MOST_VALUES) {
    throw new RangeError(`has more than ${countText(MOST_VALUES)} values`);
  }
  if (depth > DEEPEST) throw new RangeError(`is nested more than ${DEEPEST} levels deep`);
  if (sign === "{") return { kind: "object", line, members: readMembers(reading, depth) };
  if (sign === "[") return { kind: "list", line, items: readItems(reading, depth) };
  if (sign === '"') return { kind: "text", line, text: scanner.text() };
  const number = scanner.match(NUMBER);
  if (number !== null) return { kind: "number", line, text: number };
  const word = scanner.match(WORD);
  if (word !== "true" && word !== "false" && word !== "null") {
    throw notJson("a value is missing or has no quotes");
  }
  return { kind: word, line, text: word };
}

function readMembers(reading: Reading, depth: number): JsonMember[] {
  const { scanner } = reading;
  return readUntil(scanner, "}", () => {
    if (scanner.peek() !== '"') throw notJson("a name in quotes is missing");
    const line = scanner.line();
    const name = scanner.text();
    if (scanner.peek() !== ":") throw notJson("a colon is missing after a name");
    scanner.pass();
    return { name, line, value: readValue(reading, depth + 1) };
  });
}

function readItems(reading: Reading, depth: number): Json[] {
  return readUntil(reading.scanner, "]", () => readValue(reading, depth + 1));
}

/** The parts from the bracket that is next to its `end`, with commas between them. */
function readUntil<T>(scanner: JsonScanner, end: "}" | "]", readPart: () => T): T[] {
  const parts: T[] = [];
  scanner.pass();
  if (scanner.peek() === end) {
    scanner.pass();
    return parts;
  }
  for (;;) {
    parts.push(readPart());
    const sign = scanner.peek();
    if (sign !== "," && sign !== end) throw notJson(`a comma or ${end} is missing`);
    scanner.pass();
    if (sign === end) return parts;
  }
}
