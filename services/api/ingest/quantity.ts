import { type Json, kindOf } from "./json.ts";
import { malformed, type Refusal } from "./refusal.ts";

const WHOLE = /^-?\d{1,40}$/;

/** Reads a whole number of any size, given as a JSON number or as decimal text. */
export function quantityOf(value: Json | undefined, field: string): bigint | Refusal {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return BigInt(value);
    return malformed(field, `must be a whole number, not ${value}${advice(value)}`);
  }
  if (typeof value === "string") {
    if (WHOLE.test(value)) return BigInt(value);
    return malformed(field, "must be a whole number like 1200, also when it is text");
  }
  if (value === undefined) return malformed(field, "is missing");
  return malformed(field, `must be a whole number, not ${kindOf(value)}`);
}

function advice(value: number): string {
  return Number.isInteger(value)
    ? "; write out all its digits"
    : "; measure in the meter's smallest unit";
}
