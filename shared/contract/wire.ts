import { z } from "zod";
import type { AccountId } from "../core/line/account.ts";
import { parseInstant } from "../core/text/instant-text.ts";
import { idProblem, isStorable } from "../core/text/text.ts";

/**
 * How values look on the wire: fields in snake_case, amounts as decimal strings, instants in ISO 8601.
 * Each is a codec: what comes in is read into the core's types, what goes out is written from them.
 */
const DECIMAL = /^-?(0|[1-9]\d{0,18})$/;
const MAX = 2n ** 63n - 1n;

const decimal = (description: string, example: string) =>
  z.codec(
    z
      .string()
      .max(20)
      .regex(DECIMAL, "must be a whole number in decimal digits, as text")
      .refine((text) => !DECIMAL.test(text) || fits(BigInt(text)), "does not fit into 64 bits")
      .meta({ description, example }),
    z.bigint(),
    { decode: (text) => BigInt(text), encode: (amount) => String(amount) },
  );

function fits(amount: bigint): boolean {
  return amount >= -MAX && amount <= MAX;
}

/** Micro-credits, signed. */
export const credits = decimal("Micro-credits: 1 credit is 1,000,000.", "12500000");

/** Money in the minor unit of the account's currency. */
export const money = decimal("In the currency's minor unit: cents of USD.", "1000");

/** Any other whole number that may be larger than JSON's are exact. */
export const count = decimal("A whole number.", "42");

/** ISO 8601 with an offset comes in, UTC goes out. */
export const instant = z.codec(
  z
    .string()
    .max(40)
    .refine((text) => parseInstant(text) !== null, "must be an instant like 2026-09-01T00:00:00Z")
    .meta({ format: "date-time", example: "2026-09-01T00:00:00.000Z" }),
  z.number(),
  {
    decode: (text) => parseInstant(text) ?? Number.NaN,
    encode: (at) => new Date(at).toISOString(),
  },
);

/** An id as the design has it: 1 to 256 characters of well-formed text without NUL. */
export const id = (name: string) =>
  z
    .string()
    .min(1)
    .max(256)
    .superRefine((text, context) => {
      const problem = idProblem(name, text);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    });

/** Free words for the books. */
export const words = (most: number) =>
  z.string().max(most).refine(isStorable, "holds a NUL character or half of a surrogate pair");

export const accountId = z.codec(id("account id"), z.custom<AccountId>(), {
  decode: (text) => text as AccountId,
  encode: (known) => known,
});
