/**
 * True for an object with a name that zod's records leave out without a word: `__proto__`. Over Kafka it is a name
 * like any other, so that what is read without it is another usage than the one that was meant.
 */
export function losesName(given: unknown): boolean {
  return typeof given === "object" && given !== null && Object.hasOwn(given, "__proto__");
}
