import { countText, idProblem } from "../../core/text/text.ts";
import { type Problem, short } from "../problem.ts";
import { listProblems } from "./list-problems.ts";
import { isSamePrice, keyText, NO_BAND, type PriceRow } from "./price-row.ts";

/** A price that a table states and that is not read, by the name of its key. */
export interface LeftOut {
  readonly key: string;
  readonly count: number;
  readonly firstLine: number;
}

/** What was found in a table: its rows in their order and what was left out, or its problems. */
export type Collected =
  | {
      readonly kind: "read";
      readonly rows: readonly PriceRow[];
      readonly leftOut: readonly LeftOut[];
    }
  | { readonly kind: "unreadable"; readonly problems: readonly Problem[] };

/** Takes what a reader finds. */
export interface RowCollector {
  add(row: PriceRow): void;
  refuse(line: number, field: string, problem: string): void;
  leaveOut(key: string, line: number): void;
  end(): Collected;
}

const MOST_ROWS = 200_000;
const MOST_KEYS_LEFT_OUT = 1_000;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** The same price stated twice is one row; another price for the same is a problem. */
export function collectRows(): RowCollector {
  const rows = new Map<string, PriceRow>();
  const banded = new Map<string, PriceRow>();
  const leftOut = new Map<string, LeftOut>();
  const problems = listProblems();
  const refuse = problems.add;

  function add(row: PriceRow): void {
    const key = keyText(row);
    const first = rows.get(key);
    const problem = problemOf(row, first);
    if (problem !== null) refuse(row.place.line, row.place.field, problem);
    else if (first === undefined) rows.set(key, row);
  }

  function problemOf(row: PriceRow, first: PriceRow | undefined): string | null {
    if (first !== undefined) {
      return isSamePrice(first, row) ? null : `has another price in ${placeText(first)}`;
    }
    if (rows.size === MOST_ROWS)
      return `is one price more than the ${countText(MOST_ROWS)} possible`;
    return namesProblem(row) ?? bandProblem(row);
  }

  /** Bands of one kind are all of the quantity or all of the context: which would be the higher one? */
  function bandProblem(row: PriceRow): string | null {
    if (row.band.from === 0n) return null;
    const key = keyText({ ...row, band: NO_BAND });
    const first = banded.get(key);
    if (first === undefined) banded.set(key, row);
    if (first === undefined || first.band.of === row.band.of) return null;
    return `is a band by ${row.band.of}, but there is one by ${first.band.of} in ${placeText(first)}`;
  }

  function leaveOut(key: string, line: number): void {
    const known = leftOut.get(key);
    if (known !== undefined) leftOut.set(key, { ...known, count: known.count + 1 });
    else if (leftOut.size < MOST_KEYS_LEFT_OUT) {
      leftOut.set(key, { key, count: 1, firstLine: line });
    }
  }

  function end(): Collected {
    if (rows.size === 0 && problems.all().length === 0) refuse(1, "", "has no prices");
    const refused = problems.all();
    if (refused.length > 0) return { kind: "unreadable", problems: refused };
    return { kind: "read", rows: [...rows.values()], leftOut: [...leftOut.values()] };
  }

  return { add, refuse, leaveOut, end };
}

function placeText({ place }: PriceRow): string {
  return place.field === "" ? `line ${place.line}` : `line ${place.line}, ${short(place.field)}`;
}

function namesProblem(row: PriceRow): string | null {
  return (
    nameProblem("the provider", row.provider) ??
    nameProblem("the model", row.model) ??
    nameProblem("the kind", row.kind)
  );
}

/** Why a name cannot be a meter's or the value of a dimension; null: it can. */
function nameProblem(what: string, name: string): string | null {
  const problem = idProblem(what, name);
  if (problem !== null) return problem;
  if (name.trim() !== name) return `${what} begins or ends with a blank`;
  if (CONTROL.test(name)) return `${what} holds a line break or another control character`;
  return null;
}
