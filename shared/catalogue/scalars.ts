import { z } from "zod";
import { MAX_BIGINT } from "../core/line/credit-line.ts";
import type { FirstCredits, FirstMonth, LotLife } from "../core/offer/catalogue.ts";
import { nameProblem } from "../core/offer/display-name.ts";
import { type DataPath, parsePath } from "../core/offer/feed.ts";
import type { RoundUp } from "../core/offer/rate-card.ts";
import { patternProblem } from "../core/offer/value-pattern.ts";
import { parseCredits } from "../core/text/credits-text.ts";
import { parseInstant } from "../core/text/instant-text.ts";
import { isCurrency, parseMoney } from "../core/text/money.ts";
import { idProblem } from "../core/text/text.ts";
import { short } from "./problem.ts";

/** The values of a catalogue file, each parsed from its text. */

/** Credits with at most six decimals. */
export const credits = scalar("credits like 3 or 0.25", parseCredits);

/** Credits above 0. */
export const someCredits = scalar("credits like 3 or 0.25", (text) => {
  const given = parseCredits(text);
  if (given > 0n) return given;
  throw new RangeError("must be more than 0 credits");
});

export const units = scalar("a whole number like 1000", (text) => {
  const number = /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
  if (number >= 1n && number <= MAX_BIGINT) return number;
  throw new RangeError(`must be a whole number from 1 on, not "${short(text)}"`);
});

/** The last unit of a tier. */
export const tierEnd = scalar("a whole number like 1000", (text) => {
  const number = /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
  if (number >= 1n && number <= MAX_BIGINT) return number;
  throw new RangeError(
    `must be a whole number from 1 to ${MAX_BIGINT} in digits, not "${short(text)}"`,
  );
});

/** The number from which on a rate holds. */
export const bandStart = scalar("a whole number like 200001", (text) => {
  const number = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
  if (number >= 1n && number <= MAX_BIGINT) return number;
  throw new RangeError(
    number === 0n
      ? "is where a rate begins without it; leave it out"
      : `must be a whole number from 1 to ${MAX_BIGINT} in digits, not "${short(text)}"`,
  );
});

export const instant = scalar("an instant like 2026-09-01T00:00:00Z", (text) => {
  const at = parseInstant(text);
  if (at !== null) return at;
  throw new RangeError(`must be an instant like 2026-09-01T00:00:00Z, not "${short(text)}"`);
});

/** A century. */
const MOST_MONTHS = 1200;

export const life = scalar("usual, never or months like 3 months", (text): LotLife => {
  if (text === "usual" || text === "never") return { kind: text };
  const months = Number(/^(\d{1,4}) months?$/.exec(text)?.[1] ?? 0);
  if (months >= 1 && months <= MOST_MONTHS) return { kind: "months", months };
  throw new RangeError(
    `must be usual, never or months like 3 months (at most ${MOST_MONTHS}), not "${short(text)}"`,
  );
});

/** What is rounded up to whole packages of `per` units. */
export const roundUp = oneOf<RoundUp>("each_event", "each_month");

export const firstCredits = oneOf<FirstCredits>("when_paid", "immediately");

export const firstMonth = oneOf<FirstMonth>("whole", "by_days");

/** The path to a value in an event's data. */
export const dataPath = scalar("a path like $.tokens", (text): DataPath => {
  const path = parsePath(text);
  if (path !== null) return path;
  throw new RangeError(
    `must be a path like $.tokens or $.usage.tokens, of names and nothing else of JSONPath, not "${short(text)}"`,
  );
});

/** The name of an event type or a dimension. */
export const name = scalar("a name", (text) => {
  const problem = idProblem("the name", text);
  if (problem === null) return text;
  throw new RangeError(problem);
});

/** Which values of a dimension a rate is for. */
export const valuePattern = scalar("a value like gpt-5, or gpt-5-*", (text) => {
  const problem = idProblem("the value", text) ?? patternProblem(text);
  if (problem === null) return text;
  throw new RangeError(problem);
});

/** What people read in place of an id, or for what a meter counts. */
export const displayText = scalar("a name like Voice calls", (text) => {
  const problem = nameProblem(text);
  if (problem === null) return text;
  throw new RangeError(problem);
});

/** Money in the currency's unit, with at most its decimals. */
export function money(currency: string) {
  return scalar("an amount like 29.00", (text) => parseMoney(text, currency));
}

/** Why a name is not a currency; null: it is. */
export function currencyProblem(name: string): string | null {
  return isCurrency(name) ? null : "is not a currency of ISO 4217; write it like EUR";
}

function oneOf<T extends string>(...names: readonly T[]) {
  return scalar(names.join(" or "), (text) => {
    const name = names.find((known) => known === text);
    if (name !== undefined) return name;
    throw new RangeError(`must be ${names.join(" or ")}, not "${short(text)}"`);
  });
}

function scalar<T>(what: string, read: (text: string) => T) {
  const error = ({ input }: { readonly input?: unknown }) =>
    input === undefined ? "is missing" : `must be ${what}`;
  return z.string({ error }).transform((text, context) => {
    try {
      return read(text);
    } catch (problem) {
      if (!(problem instanceof RangeError)) throw problem;
      context.addIssue(short(problem.message));
      return z.NEVER;
    }
  });
}
