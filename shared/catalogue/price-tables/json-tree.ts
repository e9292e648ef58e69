import { countText } from "../../core/text/text.ts";
import type { Problem } from "../problem.ts";

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
export function readJson(text: string): Json | Problem {
  const reader = new JsonReader(text);
  try {
    return reader.readDocument();
  } catch (fault) {
    if (!(fault instanceof RangeError)) throw fault;
    return { line: reader.line, field: "", problem: fault.message };
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** One text and how far it has been read. Its methods throw a RangeError with what is wrong at `line`. */
class JsonReader {
  readonly #text: string;
  #at = 0;
  #values = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): Json {
    const value = this.#readValue(1);
    if (this.#next() !== "") throw this.#fault("it goes on after its end");
    return value;
  }

  #readValue(depth: number): Json {
    this.#values += 1;
    if (this.#values > MOST_VALUES) {
      throw new RangeError(`is the ${countText(MOST_VALUES + 1)}th value; fewer can be read`);
    }
    if (depth > DEEPEST) throw new RangeError(`is nested more than ${DEEPEST} levels deep`);
    const sign = this.#next();
    const { line } = this;
    if (sign === "{") return { kind: "object", line, members: this.#readMembers(depth) };
    if (sign === "[") return { kind: "list", line, items: this.#readItems(depth) };
    if (sign === '"') return { kind: "text", line, text: this.#readText() };
    const number = this.#match(NUMBER);
    if (number !== null) return { kind: "number", line, text: number };
    const word = this.#match(WORD);
    if (word === "true" || word === "false" || word === "null") {
      return { kind: word, line, text: word };
    }
    throw this.#fault("a value is missing or has no quotes");
  }

  #readMembers(depth: number): JsonMember[] {
    return this.#readUntil("}", () => {
      if (this.#next() !== '"') throw this.#fault("a name in quotes is missing");
      const { line } = this;
      const name = this.#readText();
      if (this.#next() !== ":") throw this.#fault("a colon is missing after a name");
      this.#at += 1;
      return { name, line, value: this.#readValue(depth + 1) };
    });
  }

  #readItems(depth: number): Json[] {
    return this.#readUntil("]", () => this.#readValue(depth + 1));
  }

  /** The parts between a bracket and its `end`, with commas between them. */
  #readUntil<T>(end: "}" | "]", readPart: () => T): T[] {
    this.#at += 1;
    const parts: T[] = [];
    if (this.#next() === end) {
      this.#at += 1;
      return parts;
    }
    for (;;) {
      parts.push(readPart());
      const sign = this.#next();
      if (sign !== "," && sign !== end) throw this.#fault(`a comma or ${end} is missing`);
      this.#at += 1;
      if (sign === end) return parts;
    }
  }

  #readText(): string {
    let end = this.#text.indexOf('"', this.#at + 1);
    while (end >= 0 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) throw this.#fault("a text has no closing quote");
    const written = this.#text.slice(this.#at, end + 1);
    this.#at = end + 1;
    try {
      return String(JSON.parse(written));
    } catch {
      throw this.#fault("a text holds a line break or an escape that JSON does not have");
    }
  }

  #isEscaped(at: number): boolean {
    let backslashes = 0;
    while (this.#text[at - 1 - backslashes] === "\\") backslashes += 1;
    return backslashes % 2 === 1;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return null;
    this.#at += found.length;
    return found;
  }

  /** The next sign that is no white space, "" at the end. */
  #next(): string {
    for (; ; this.#at += 1) {
      const sign = this.#text[this.#at] ?? "";
      if (sign === "\n") this.line += 1;
      else if (sign !== " " && sign !== "\r" && sign !== "\t") return sign;
    }
  }

  #fault(problem: string): RangeError {
    return new RangeError(`is not JSON: ${problem}`);
  }
}
