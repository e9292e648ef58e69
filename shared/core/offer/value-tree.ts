import { stemOf, type ValuePattern } from "./value-pattern.ts";

/** Values by dimension, such as an event's. */
export type Dimensions = Readonly<Record<string, string>>;

/** What is chosen by patterns, one for each dimension in their order. */
export interface Choice<T> {
  readonly patterns: readonly ValuePattern[];
  readonly chosen: T;
}

/** Choices by the pattern of one dimension, and below each by those of the next. */
export interface ValueTree<T> {
  readonly exact: ReadonlyMap<string, ValueTree<T>>;
  /** In the order of their stems. */
  readonly prefixes: readonly Prefix<T>[];
  /** For any value, and none. */
  readonly open: ValueTree<T> | null;
  /** Below the last dimension; else null. */
  readonly chosen: T | null;
}

interface Prefix<T> {
  readonly stem: string;
  /** The longest other one that its stem begins with. */
  readonly within: Prefix<T> | null;
  readonly tree: ValueTree<T>;
}

/** The tree of at least one choice. No two have the same patterns. */
export function treeOf<T>(choices: readonly Choice<T>[], depth = 0): ValueTree<T> {
  const [first] = choices;
  if (first === undefined) throw new RangeError("there is nothing to choose from");
  if (depth === first.patterns.length) {
    return { exact: new Map(), prefixes: [], open: null, chosen: first.chosen };
  }
  const exact = new Map<string, ValueTree<T>>();
  const stems: { stem: string; tree: ValueTree<T> }[] = [];
  let open: ValueTree<T> | null = null;
  for (const [pattern, alike] of byPattern(choices, depth)) {
    const tree = treeOf(alike, depth + 1);
    const stem = pattern === null ? null : stemOf(pattern);
    if (pattern === null) open = tree;
    else if (stem === null) exact.set(pattern, tree);
    else stems.push({ stem, tree });
  }
  return { exact, prefixes: prefixesOf(stems), open, chosen: null };
}

/** `Map.groupBy`, which the client's older engines lack. */
function byPattern<T>(
  choices: readonly Choice<T>[],
  depth: number,
): Map<ValuePattern, Choice<T>[]> {
  const groups = new Map<ValuePattern, Choice<T>[]>();
  for (const choice of choices) {
    const pattern = choice.patterns[depth] ?? null;
    const alike = groups.get(pattern);
    if (alike === undefined) groups.set(pattern, [choice]);
    else alike.push(choice);
  }
  return groups;
}

function prefixesOf<T>(stems: { stem: string; tree: ValueTree<T> }[]): Prefix<T>[] {
  const prefixes: Prefix<T>[] = [];
  for (const { stem, tree } of stems.sort((a, b) => (a.stem < b.stem ? -1 : 1))) {
    let within = prefixes.at(-1) ?? null;
    while (within !== null && !stem.startsWith(within.stem)) within = within.within;
    prefixes.push({ stem, within, tree });
  }
  return prefixes;
}

/**
 * What is chosen for values: in each dimension, from the first on, a value itself comes before a prefix of
 * it, a longer prefix before a shorter one, and any of them before what is left open. Where one choice lies
 * within all others that match, it is that one. Null: nothing matches. Allocates nothing.
 */
export function choose<T>(
  tree: ValueTree<T>,
  names: readonly string[],
  values: Dimensions,
  depth = 0,
): T | null {
  const name = names[depth];
  if (name === undefined) return tree.chosen;
  const value = valueAt(values, name);
  if (value !== null) {
    const exact = tree.exact.get(value);
    const found = exact === undefined ? null : choose(exact, names, values, depth + 1);
    if (found !== null) return found;
    let prefix = lastUpTo(tree.prefixes, value);
    for (; prefix !== null; prefix = prefix.within) {
      if (!value.startsWith(prefix.stem)) continue;
      const below = choose(prefix.tree, names, values, depth + 1);
      if (below !== null) return below;
    }
  }
  return tree.open === null ? null : choose(tree.open, names, values, depth + 1);
}

/** The value of a dimension; null: it has none, or an empty one. */
export function valueAt(values: Dimensions, name: string): string | null {
  const value: unknown = values[name];
  // What every object inherits is no text.
  return typeof value === "string" && value !== "" ? value : null;
}

/** The last prefix whose stem is not behind a value: all that the value begins with are this one or around it. */
function lastUpTo<T>(prefixes: readonly Prefix<T>[], value: string): Prefix<T> | null {
  let from = 0;
  let to = prefixes.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const stem = prefixes[middle]?.stem ?? "";
    if (stem <= value) from = middle + 1;
    else to = middle;
  }
  return prefixes[from - 1] ?? null;
}
