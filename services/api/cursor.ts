import { badRequest } from "./problem.ts";

/** The cursors of one list: opaque texts that say where it goes on. */
export interface Cursors {
  of(...parts: readonly (string | number | bigint)[]): string;
  /** The parts of a cursor, null without one. Throws a problem where it is not one of this list's. */
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
      if (name !== list || !fits) throw badRequest("cursor", "is not one that this list has given");
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
