import { stemOf } from "../../core/offer/value-pattern.ts";
import type { Problem } from "../problem.ts";
import { listProblems } from "./list-problems.ts";
import { matches, nameOf } from "./name-pattern.ts";
import type { PriceRow } from "./price-row.ts";

/** The rows that an import takes, or why it takes none. */
export type Selected =
  | { readonly kind: "selected"; readonly rows: readonly PriceRow[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/**
 * The rows that one of the patterns matches; without a pattern, all. A pattern that matches nothing is refused, as it
 * is mistyped, and so is a selected row that no rate can state.
 */
export function selectRows(rows: readonly PriceRow[], only: readonly string[]): Selected {
  const selected = only.length === 0 ? rows : rows.filter((row) => isWithin(only, nameOf(row)));
  const problems = listProblems();
  for (const row of selected) {
    const problem = problemOf(row);
    if (problem !== null) problems.add(row.place.line, row.place.field, problem);
  }
  const names = [...new Set(rows.map(nameOf))];
  for (const pattern of only) {
    if (names.some((name) => matches(pattern, name))) continue;
    problems.add(0, `only ${pattern}`, "matches no provider/model of the file");
  }
  const refused = problems.all();
  return refused.length > 0
    ? { kind: "refused", problems: refused }
    : { kind: "selected", rows: selected };
}

export function isWithin(only: readonly string[], name: string): boolean {
  return only.some((pattern) => matches(pattern, name));
}

function problemOf({ provider, model }: PriceRow): string | null {
  for (const name of [provider, model]) {
    if (stemOf(name) === null) continue;
    return `ends in *, which a rate takes for all that begins like ${name}; leave it out with --only`;
  }
  return null;
}
