import { isDeepStrictEqual } from "node:util";

/** Where books first differ from the model, or from themselves. */
export interface Difference {
  readonly at: number;
  /** Null: it concerns no single account. */
  readonly account: string | null;
  readonly what: string;
}

/** The first account that books tell otherwise than the model; null: none. */
export function compare<T extends object>(
  books: ReadonlyMap<string, T>,
  model: ReadonlyMap<string, T>,
  at: number,
): Difference | null {
  for (const [account, expected] of model) {
    const found = books.get(account);
    if (found === undefined) return { at, account, what: "the books have no such account" };
    const names = Object.keys(expected) as (keyof T & string)[];
    const odd = names.find((name) => !isDeepStrictEqual(found[name], expected[name]));
    if (odd === undefined) continue;
    const what = `${odd} is ${asText(found[odd])}, not ${asText(expected[odd])}`;
    return { at, account, what };
  }
  return null;
}

function asText(value: unknown): string {
  const bare = (_: string, part: unknown) => (typeof part === "bigint" ? String(part) : part);
  return JSON.stringify(value, bare, 1);
}
