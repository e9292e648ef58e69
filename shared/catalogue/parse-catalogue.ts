import type { z } from "zod";
import type { DisplayName } from "../core/offer/display-name.ts";
import type { RequestedCatalogue, RequestedVersions } from "../core/offer/requested-catalogue.ts";
import type { Problem } from "./problem.ts";
import { catalogueForm, nameIn, type Stated } from "./terms.ts";
import { type Plain, readTree, type Tree } from "./yaml-tree.ts";

export type ParsedCatalogue =
  | { readonly kind: "parsed"; readonly asked: RequestedCatalogue }
  /** In the order of their lines. */
  | { readonly kind: "unreadable"; readonly problems: readonly Problem[] };

type Form = z.output<ReturnType<typeof catalogueForm>>;

export const MAX_CATALOGUE_BYTES = 1 << 20;

const MOST_VERSIONS = 10_000;

/** Parses a catalogue file (docs/catalogue.md has the format), or returns all its problems. */
export function parseCatalogue(bytes: Uint8Array): ParsedCatalogue {
  const tree = readFileTree(bytes);
  if (!("place" in tree)) return { kind: "unreadable", problems: tree };
  if (countVersions(tree.data) > MOST_VERSIONS) {
    return unreadable(`has more than ${MOST_VERSIONS} items; split it`);
  }
  return validate(tree);
}

/** What a YAML file has, or why it cannot be read. */
export function readFileTree(bytes: Uint8Array): Tree | readonly Problem[] {
  if (bytes.length > MAX_CATALOGUE_BYTES) {
    return wrong(`has more than ${MAX_CATALOGUE_BYTES} bytes; split it`);
  }
  const text = decode(bytes);
  if (text === null) return wrong("is not UTF-8");
  const tree = readTree(text);
  return "place" in tree && tree.data === "" ? wrong("states nothing") : tree;
}

function validate(tree: Tree): ParsedCatalogue {
  const read = catalogueForm().safeParse(tree.data);
  if (!read.success) {
    const problems = read.error.issues.map(({ path, message }) => ({
      ...tree.place(path),
      problem: message,
    }));
    return { kind: "unreadable", problems: problems.sort((a, b) => a.line - b.line) };
  }
  const { meters, plans, add_ons, credit_prices, dimensions } = read.data;
  const sections = {
    meters: placed(
      "meters",
      meters,
      tree,
      ({ from: _from, name: _name, unit: _unit, ...terms }) => terms,
    ),
    plans: placed("plans", plans, tree, ({ from: _from, name: _name, ...terms }) => terms),
    addOns: placed("add_ons", add_ons, tree, ({ from: _from, name: _name, ...terms }) => terms),
    creditPrices: placed("credit_prices", credit_prices, tree, ({ from: _, ...terms }) => terms),
  };
  const names = [
    ...namesIn("meter", meters),
    ...namesIn("plan", plans),
    ...namesIn("add_on", add_ons),
    ...namesOfDimensions(dimensions),
  ];
  const statesNothing = Object.values(sections).every(({ size }) => size === 0);
  if (statesNothing && names.length === 0) return unreadable("states nothing");
  return { kind: "parsed", asked: { ...sections, names } };
}

function namesIn(
  what: DisplayName["what"],
  items: ReadonlyMap<string, readonly Stated[]> = new Map(),
): DisplayName[] {
  return [...items]
    .map(([id, versions]) => ({ what, id, ...nameIn(versions) }))
    .filter(({ name, unit }) => name !== null || unit !== null);
}

function namesOfDimensions(dimensions: Form["dimensions"] = new Map()): DisplayName[] {
  const named = (what: DisplayName["what"], id: string, name: string) => {
    return { what, id, name, unit: null };
  };
  return [...dimensions].flatMap(([dimension, { name, values = new Map<string, string>() }]) => [
    ...(name === undefined ? [] : [named("dimension", dimension, name)]),
    ...[...values].map(([value, shown]) =>
      named("dimension_value", `${dimension}=${value}`, shown),
    ),
  ]);
}

function placed<T extends Stated, Terms>(
  section: string,
  items: ReadonlyMap<string, readonly T[]> = new Map(),
  tree: Tree,
  termsOf: (version: T) => Terms,
): RequestedVersions<Terms> {
  return new Map(
    [...items].map(([id, versions]) => [
      id,
      versions.map((version, at) => ({
        from: version.from ?? null,
        terms: termsOf(version),
        place: tree.place([section, id, at]),
      })),
    ]),
  );
}

function countVersions(data: Plain): number {
  const sections = typeof data === "object" ? Object.values(data) : [];
  const items = sections.flatMap((section) =>
    typeof section === "object" ? Object.values(section) : [],
  );
  const versions = items.flatMap((item) => (Array.isArray(item) ? item : [item]));
  return versions.reduce((count, version) => count + countParts(version), 0);
}

/** Each rate of a version counts, and each named value of a dimension. */
function countParts(version: Plain): number {
  if (typeof version !== "object") return 1;
  const rates = "rates" in version ? version["rates"] : null;
  const values = "values" in version ? version["values"] : null;
  return Math.max(1, sizeOf(rates), sizeOf(values));
}

function sizeOf(part: unknown): number {
  return typeof part === "object" && part !== null ? Object.keys(part).length : 0;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function unreadable(problem: string): ParsedCatalogue {
  return { kind: "unreadable", problems: wrong(problem) };
}

function wrong(problem: string): readonly Problem[] {
  return [{ line: 1, field: "", problem }];
}
