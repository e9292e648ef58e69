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

/**
 * Why nothing may be created under `text` that has a URL of its own; null: it may. Clients resolve `.` and `..`, and
 * would ask for something else.
 */
export function pathIdProblem(name: string, text: string): string | null {
  const problem = idProblem(name, text);
  if (problem !== null) return problem;
  return text === "." || text === ".." ? `${name} is ${text}, which URLs resolve` : null;
}

const BREAKS_LINES = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const SLASH = /[/\\]/;

/**
 * Why no account may be created under `text`; null: one may. In addition to every id's rule, the id must
 * be usable in a URL's path and in a line of a log or a file. Accounts from before this rule keep theirs.
 */
export function newAccountIdProblem(name: string, text: string): string | null {
  const problem = pathIdProblem(name, text);
  if (problem !== null) return problem;
  if (BREAKS_LINES.test(text)) return `${name} holds a line break or another control character`;
  if (text.trim() !== text) return `${name} begins or ends with a blank`;
  if (SLASH.test(text)) return `${name} holds a slash`;
  return null;
}

/** True when Postgres can store `text`. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text) && text.isWellFormed();
}

/** Throws a RangeError with the reason if `text` cannot be the id of an account, however old. */
export function toAccountId(text: string): AccountId {
  return orRangeError(text, idProblem("account id", text));
}

/** Throws a RangeError with the reason if no account may be created under `text`. */
export function toNewAccountId(text: string): AccountId {
  return orRangeError(text, newAccountIdProblem("account id", text));
}

function orRangeError(text: string, problem: string | null): AccountId {
  if (problem !== null) throw new RangeError(problem);
  return text as AccountId;
}

/** Makes a sentence of a problem's words: "There is no account acme." */
export function toSentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

/** A whole number for people: "2,000,000". */
export function countText(count: number | bigint): string {
  return count.toLocaleString("en-US");
}

/** "1 event", "2 events", "2,000,000 events". */
export function countOf(count: number | bigint, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 || count === 1n ? one : many}`;
}
