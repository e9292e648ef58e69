/**
 * Which values of a dimension are meant: "gpt-5" is one, "gpt-5-*" all that begin with "gpt-5-"; null: any
 * value, and none. Two patterns have no value in common, or one lies within the other.
 */
export type ValuePattern = string | null;

const MARK = "*";

/** What all values of a pattern like "gpt-5-*" begin with; null: it is one value. */
export function stemOf(pattern: string): string | null {
  return pattern.endsWith(MARK) ? pattern.slice(0, -MARK.length) : null;
}

/** Why a text is no pattern, apart from what every id obeys; null: it is. */
export function patternProblem(text: string): string | null {
  const at = text.indexOf(MARK);
  if (text === MARK) return "stands for every value; leave the dimension out";
  return at >= 0 && at < text.length - 1 ? "may have * at its end only" : null;
}

/** True if every value of `inner` is one of `outer`. */
export function isWithin(inner: ValuePattern, outer: ValuePattern): boolean {
  if (outer === null || inner === outer) return true;
  const stem = stemOf(outer);
  return inner !== null && stem !== null && (stemOf(inner) ?? inner).startsWith(stem);
}

/** The values that two patterns have in common, one of which lies within the other. */
export function narrowerOf(a: ValuePattern, b: ValuePattern): ValuePattern {
  return isWithin(a, b) ? a : b;
}
