import type { Dimensions } from "../offer/value-tree.ts";

/** A value may have more characters (code points) in events; it has no budget then, as keys of indexes have a most. */
export const MOST_VALUE_LENGTH = 256;

/** The value of a dimension that may have a budget; empty: there is none. */
export function valueIn(dimensions: Dimensions, dimension: string): string {
  const value = Object.hasOwn(dimensions, dimension) ? (dimensions[dimension] ?? "") : "";
  const isLong = value.length > MOST_VALUE_LENGTH && [...value].length > MOST_VALUE_LENGTH;
  return isLong ? "" : value;
}
