import { short } from "../problem.ts";
import { type ExactNumber, inPowers, parseExact } from "./exact-number.ts";
import { matches, nameOf } from "./name-pattern.ts";
import type { PriceKey } from "./price-row.ts";

/** A factor on the list price of what matches: `*` in `pattern` stands for any text, also for none. */
export interface Markup {
  /** Of provider/model. */
  readonly pattern: string;
  readonly factor: ExactNumber;
}

/** What holds for a row that no markup matches. */
const LIST_PRICE: Markup = { pattern: "*", factor: parseExact("1") };

const LARGEST_FACTOR = 1000n;
const MOST_CHARACTERS = 600;

/**
 * Parses "1.3" (of everything) or "openai/gpt-5*=1.2". Throws a RangeError with the reason if the factor is no
 * number above 0 and at most 1,000, or the pattern is missing or too long.
 */
export function parseMarkup(text: string): Markup {
  const at = text.lastIndexOf("=");
  const pattern = at < 0 ? "*" : text.slice(0, at);
  if (pattern === "") throw new RangeError(`the markup "${short(text)}" has no pattern before =`);
  if (pattern.length > MOST_CHARACTERS) {
    throw new RangeError(`the markup "${short(text)}" has more than ${MOST_CHARACTERS} characters`);
  }
  return { pattern, factor: parseFactor(text, text.slice(at + 1)) };
}

function parseFactor(text: string, written: string): ExactNumber {
  const factor = parseExact(written);
  const power = Math.min(factor.exponent, 0);
  const isPossible =
    factor.coefficient > 0n && inPowers(factor, power) <= LARGEST_FACTOR * 10n ** BigInt(-power);
  if (isPossible) return factor;
  throw new RangeError(`the markup ${short(text)} must be above 0 and at most ${LARGEST_FACTOR}`);
}

/** The markup of a row: the last one that matches. */
export function markupOf(markups: readonly Markup[], key: PriceKey): Markup {
  const name = nameOf(key);
  return markups.findLast(({ pattern }) => matches(pattern, name)) ?? LIST_PRICE;
}
