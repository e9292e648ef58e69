import { short } from "../problem.ts";

const MOST_CHARACTERS = 600;

/** Of provider/model: `*` stands for any text, also for none and with slashes in it. Throws a RangeError. */
export function parsePattern(text: string): string {
  if (text === "") throw new RangeError("a pattern of provider/model is empty");
  if (text.length <= MOST_CHARACTERS) return text;
  throw new RangeError(`the pattern "${short(text)}" has more than ${MOST_CHARACTERS} characters`);
}

/** What a pattern is matched with. */
export function nameOf({ provider, model }: { readonly provider: string; readonly model: string }) {
  return `${provider}/${model}`;
}

/** Each part of the pattern is taken where it comes first, so the time is that of the name's length. */
export function matches(pattern: string, name: string): boolean {
  const [start = "", ...rest] = pattern.split("*");
  const end = rest.pop();
  if (end === undefined) return name === pattern;
  if (!name.startsWith(start)) return false;
  let at = start.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - at >= end.length && name.endsWith(end);
}
