import { MAX_BIGINT } from "../core/line/credit-line.ts";

/** A cursor that does not belong to the list. */
export class WrongCursor extends Error {}

/** Makes and reads the cursors of one list: opaque texts that name the next item. */
export interface Cursors {
  of(...parts: readonly (string | number | bigint)[]): string;
  /** The parts of a cursor; null: there is none. Throws WrongCursor if it is another list's. */
  read(cursor: string | undefined): string[] | null;
}

/** What a part of a cursor may be. */
type Part = Pick<RegExp, "test">;

/** A cursor holds the name of its list and parts that match `parts`; others are refused. */
export function cursorsOf(list: string, parts: readonly Part[]): Cursors {
  return {
    of: (...values) =>
      Buffer.from(JSON.stringify([list, ...values.map(String)])).toString("base64url"),
    read(cursor) {
      if (cursor === undefined) return null;
      const [name, ...read] = parse(Buffer.from(cursor, "base64url").toString()) ?? [];
      const fits =
        read.length === parts.length && parts.every((part, at) => part.test(read[at] ?? ""));
      if (name !== list || !fits) throw new WrongCursor("is not one that this list has given");
      return read;
    },
  };
}

function parse(text: string): string[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((part) => typeof part === "string") ? value : null;
  } catch {
    return null;
  }
}

/** A whole number that fits into 64 bits. */
export const WHOLE: Part = {
  test(text) {
    if (!/^-?\d{1,19}$/.test(text)) return false;
    const whole = BigInt(text);
    return whole <= MAX_BIGINT && whole >= -MAX_BIGINT - 1n;
  },
};
/** A count of less than 2^31. */
export const SMALL = /^\d{1,9}$/;
/** Milliseconds since 1970 of an instant that Postgres can store. */
export const INSTANT = /^\d{1,14}$/;
/** Any text that Postgres can store. */
export const TEXT = /^[^\0]{0,300}$/;

/** A page of `limit` items. `read` has one item more if there is a next page. */
export function pageOf<T>(
  read: readonly T[],
  limit: number,
  cursorOf: (last: T) => string,
): { items: T[]; nextCursor: string | null } {
  const items = read.slice(0, limit);
  const last = items.at(-1);
  const more = read.length > limit && last !== undefined;
  return { items, nextCursor: more ? cursorOf(last) : null };
}

/** The requested page: at most `limit` items after `cursor`. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** How far a list that is read from its beginning can be paged. */
const MOST_SKIPPED = 10_000;

/** A page of a list that is always read from its beginning; `readFirst` returns its first `count` items. */
export async function pageFromFirst<T>(
  list: string,
  { limit, cursor }: PageRequest,
  readFirst: (count: number) => Promise<readonly T[]>,
) {
  const cursors = cursorsOf(list, [SMALL]);
  const skipped = Number(cursors.read(cursor)?.[0] ?? 0);
  if (skipped > MOST_SKIPPED) throw new WrongCursor("lies too far back");
  const read = await readFirst(skipped + limit + 1);
  return pageOf(read.slice(skipped), limit, () => cursors.of(skipped + limit));
}
