/** A cursor that its list has not given. */
export class WrongCursor extends Error {}

/** The cursors of one list: opaque texts that say where it goes on. */
export interface Cursors {
  of(...parts: readonly (string | number | bigint)[]): string;
  /** The parts of a cursor, null without one. Throws a WrongCursor where it is not one of this list's. */
  read(cursor: string | undefined): string[] | null;
}

/** Each cursor names its list, and its parts look like `parts`: one of another list is refused. */
export function cursorsOf(list: string, parts: readonly RegExp[]): Cursors {
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
export const WHOLE = /^-?\d{1,18}$/;
/** A count of less than 2^31. */
export const SMALL = /^\d{1,9}$/;
/** Milliseconds since 1970, of an instant that Postgres' calendar has. */
export const INSTANT = /^\d{1,14}$/;
/** Any text that can be stored. */
export const TEXT = /^[^\0]{0,300}$/;

/** The first `limit` of what was read with one more, and the cursor to go on with. */
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

/** How much of a list is asked for: as many items at most, from where a page before ended. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A list that is read from its beginning goes back so far. */
const MOST_SKIPPED = 10_000;

/** A page of a list that is read from its beginning: `readFirst` gives that many items of it. */
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
