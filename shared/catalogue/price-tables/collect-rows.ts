import { countText, idProblem } from "../../core/text/text.ts";
import { type Problem, short } from "../problem.ts";
import { listProblems } from "./list-problems.ts";
import { isSamePrice, keyText, type PriceRow } from "./price-row.ts";

/** A price that a table states and that is not read, by the name of its key. */
export interface LeftOut {
  readonly key: string;
  readonly count: number;
  readonly firstLine: number;
}

/** What was found in a table: its rows in their order and what was left out, or its problems. */
export type Collected =
  | { readonly kind: "read"; readonly rows: readonly PriceRow[]; readonly leftOut: readonly LeftOut[] }
  | { readonly kind: "unreadable"; readonly problems: readonly Problem[] };

/** Takes what a reader finds. */
export interface RowCollector {
  add(row: PriceRow): void;
  refuse(line: number, field: string, problem: string): void;
  leaveOut(key: string, line: number): void;
  end(): Collected;
}

export const MOST_ROWS = 200_000;
const MOST_KEYS_LEFT_OUT = 1_000;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** The same price stated twice is one row; another price for the same is a problem. */
export function collectRows(): RowCollector {
  const rows = new Map<string, PriceRow>();
  const leftOut = new Map<string, LeftOut>();
  const problems = listProblems();
  const refuse = problems.add;

  function add(row: PriceRow): void {
    const { line, field } = row.place;
    for (const name of ["provider", "model", "kind"] as const) {
      const problem = nameProblem(`the ${name}`, row[name]);
      if (problem !== null) return refuse(line, field, problem);
    }
    const key = keyText(row);
    const first = rows.get(key);
    if (first === undefined && rows.size < MOST_ROWS) rows.set(key, row);
    else if (first === undefined) {
      refuse(line, field, `is one price more than the ${countText(MOST_ROWS)} possible`);
    } else if (!isSamePrice(first, row)) {
      refuse(line, field, `has another price in line ${first.place.line}, by ${placeText(first)}`);
    }
  }

  function leaveOut(key: string, line: number): void {
    const known = leftOut.get(key);
    if (known !== undefined) leftOut.set(key, { ...known, count: known.count + 1 });
    else if (leftOut.size < MOST_KEYS_LEFT_OUT) {
      leftOut.set(key, { key, count: 1, firstLine: line });
    }
  }

  function end(): Collected {
    if (rows.size === 0) refuse(1, "", "has no prices");
    const refused = problems.all();
    if (refused.length > 0) return { kind: "unreadable", problems: refused };
    return { kind: "read", rows: [...rows.values()], leftOut: [...leftOut.values()] };
  }

  return { add, refuse, leaveOut, end };
}

function placeText({ place }: PriceRow): string {
  return place.field === "" ? "another row" : short(place.field);
}

/** Why a name cannot be a meter's or the value of a dimension; null: it can. */
function nameProblem(what: string, name: string): string | null {
  const problem = idProblem(what, name);
  if (problem !== null) return problem;
  if (name.trim() !== name) return `${what} begins or ends with a blank`;
  if (CONTROL.test(name)) return `${what} holds a line break or another control character`;
  return null;
}
