import type { AccountId } from "../line/account.ts";

export const MAX_ID_LENGTH = 256;

// Postgres cannot store NUL. U+FFFD replaces bytes that are not UTF-8, which would make different ids
// the same.
const UNSTORABLE = /\0/;
const UNFIT_FOR_ID = /[\0\uFFFD]/;

/** Why `text` is not a valid id (of an event, an account, a meter, a lot); null: it is. */
export function idProblem(name: string, text: string): string | null {
  if (text.length === 0) return `${name} is empty`;
  if (text.length > MAX_ID_LENGTH) {
    return `${name} has ${text.length} characters; at most ${MAX_ID_LENGTH} are allowed`;
  }
  if (UNFIT_FOR_ID.test(text)) return `${name} holds a NUL character or bytes that are not UTF-8`;
  if (!text.isWellFormed()) return `${name} holds half of a surrogate pair`;
  return null;
}

/** True when Postgres can store `text`. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text) && text.isWellFormed();
}

/** Throws a RangeError with the reason if `text` is not a valid account id. */
export function toAccountId(text: string): AccountId {
  const problem = idProblem("account id", text);
  if (problem !== null) throw new RangeError(problem);
  return text as AccountId;
}

/** Makes a sentence of a problem's words: "There is no account acme." */
export function toSentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

/** "1 event", "2 events", "2,000,000 events". */
export function countOf(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 || count === 1n ? one : many}`;
}
