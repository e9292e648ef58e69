import type { AccountId } from "../line/account.ts";

export const MAX_ID_LENGTH = 256;

// NUL cannot be stored in Postgres; U+FFFD stands where bytes were not UTF-8, so that two different
// ids could look like one.
const UNSTORABLE = /\0/;
const UNFIT_FOR_ID = /[\0\uFFFD]/;

/** Why `text` cannot serve as an id (of an event, an account, a meter, a lot), or null when it can. */
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

/** Throws a RangeError that says why when `text` cannot be an account's id. */
export function toAccountId(text: string): AccountId {
  const problem = idProblem("account id", text);
  if (problem !== null) throw new RangeError(problem);
  return text as AccountId;
}

/** Words such as those of a problem as a sentence: "There is no account acme." */
export function toSentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

/** "1 event", "2 events", "2,000,000 events". */
export function countOf(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 || count === 1n ? one : many}`;
}
