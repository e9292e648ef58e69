import { exactOr, inPowers } from "./exact-number.ts";
import type { Json, JsonMember, JsonObject } from "./json-tree.ts";

/** The members of an object with a name: none, one, or more where it is stated twice. */
export function membersOf(object: JsonObject, name: string): readonly JsonMember[] {
  return object.members.filter((member) => member.name === name);
}

/** The text of a name that is stated once; null: it is missing, stated twice, or no text. */
export function textOf(object: JsonObject, name: string): string | null {
  const [only, second] = membersOf(object, name);
  return second === undefined && only?.value.kind === "text" ? only.value.text : null;
}

export function isObject(value: Json): value is JsonObject {
  return value.kind === "object";
}

/** A whole number from 0 on, however it is written (256000.0); null: it is none. */
export function wholeNumberOf(value: Json | undefined): bigint | null {
  if (value?.kind !== "number") return null;
  const number = exactOr(value.text, () => undefined);
  return number !== null && number.exponent >= 0 ? inPowers(number, 0) : null;
}
