import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Place } from "../core/offer/requested-catalogue.ts";
import { type Problem, short } from "./problem.ts";
import { limitProblem } from "./text-limits.ts";

/** Untyped data: scalars stay text, so no number becomes floating point. */
export type Plain = string | readonly Plain[] | { readonly [name: string]: Plain };

/** Plain data with the place of each part in the file. */
export interface Tree {
  readonly data: Plain;
  /** The place of the part at a path, or of what surrounds it. A number is skipped where there is no list. */
  place(path: readonly PropertyKey[]): Place;
}

const MAX_SCALAR_LENGTH = 1024;

/** Parses YAML, which includes JSON, or returns all problems. */
export function readTree(text: string): Tree | readonly Problem[] {
  const limit = limitProblem(text);
  if (limit !== null) return [limit];
  const lineCounter = new LineCounter();
  const lineOf = (offset: number) => lineCounter.linePos(offset).line;
  const document = parseDocument(text, {
    schema: "failsafe",
    resolveKnownTags: false,
    stringKeys: true,
    // Quadratic; `toPlain` finds duplicates with a map.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter,
  });
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length === 0) return toTree(document.contents, lineOf);
  // The first of each line; the others mostly follow from it.
  const byLine = Map.groupBy(
    wrong.sort((a, b) => a.pos[0] - b.pos[0]),
    ({ pos }) => lineOf(pos[0]),
  );
  return [...byLine].map(([line, [first]]) => ({
    line,
    field: "",
    problem: `is not YAML as it can be used here: ${short(first?.message ?? "")}`,
  }));
}

function toTree(
  contents: ParsedNode | null,
  lineOf: (offset: number) => number,
): Tree | readonly Problem[] {
  const partsOf = new WeakMap<object, ReadonlyMap<string, Part>>();
  const problems: Problem[] = [];
  const data = toPlain(contents, "");
  return problems.length > 0 ? problems : { data, place };

  function toPlain(node: Node | null, field: string): Plain {
    if (node === null) return "";
    if (isScalar(node)) return toText(node.value, node, field);
    if (isMap<Node, Node | null>(node)) return toFields(node, field);
    if (isSeq<Node>(node)) return toList(node, field);
    report(node, field, "is an alias; write out what it stands for");
    return "";
  }

  function toList(sequence: YAMLSeq<Node>, field: string): Plain {
    const parts = sequence.items.map((item, at) => ({
      line: line(item),
      part: toPlain(item, fieldOf(field, at)),
    }));
    const list = parts.map(({ part }) => part);
    partsOf.set(list, new Map(parts.map((part, at) => [String(at), part])));
    return list;
  }

  function toFields(map: YAMLMap<Node, Node | null>, field: string): Plain {
    const parts = new Map<string, Part>();
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? toText(key.value, key, field) : "";
      const at = fieldOf(field, name);
      const first = parts.get(name);
      if (first !== undefined) report(key, at, `is stated twice; first in line ${first.line}`);
      // On an object, it would set the prototype.
      if (name === "__proto__") report(key, at, "is no possible name");
      parts.set(name, { line: line(key), part: toPlain(value, at) });
    }
    const fields = Object.fromEntries([...parts].map(([name, { part }]) => [name, part]));
    partsOf.set(fields, parts);
    return fields;
  }

  function toText(value: unknown, node: Node, field: string): string {
    const written = String(value);
    if (written.length <= MAX_SCALAR_LENGTH) return written;
    report(node, field, `holds a text of more than ${MAX_SCALAR_LENGTH} characters`);
    return "";
  }

  function report(node: Node, field: string, problem: string): void {
    problems.push({ line: line(node), field, problem });
  }

  function line(node: Node | null): number {
    return lineOf(node?.range?.[0] ?? 0);
  }

  function place(path: readonly PropertyKey[]): Place {
    let at: Part | undefined = { line: line(contents), part: data };
    let known = at.line;
    let field = "";
    for (const step of path) {
      const part: Plain | undefined = at?.part;
      if (typeof step === "number" && !Array.isArray(part)) continue;
      at = typeof part === "object" ? partsOf.get(part)?.get(String(step)) : undefined;
      known = at?.line ?? known;
      field = fieldOf(field, step);
    }
    return { line: known, field };
  }
}

interface Part {
  readonly line: number;
  readonly part: Plain;
}

function fieldOf(parent: string, step: PropertyKey): string {
  if (typeof step === "number") return `${parent}[${step}]`;
  return parent === "" ? String(step) : `${parent}.${String(step)}`;
}
