import { z } from "zod";
import type { AccountId } from "../core/line/account.ts";
import { MAX_BIGINT } from "../core/line/credit-line.ts";
import { UNLIMITED } from "../core/line/overdraft.ts";
import { gatewayIdProblem } from "../core/text/card-number.ts";
import { parseInstant } from "../core/text/instant-text.ts";
import {
  idProblem,
  isStorable,
  MAX_ID_LENGTH,
  newAccountIdProblem,
  pathIdProblem,
} from "../core/text/text.ts";

/** Codecs of values: amounts are decimal strings on the wire, instants are ISO 8601. */
const DECIMAL = /^-?(0|[1-9]\d{0,18})$/;
const ANY_DECIMAL = /^-?(0|[1-9]\d*)$/;
const NO_DECIMAL = "must be a whole number in decimal digits, as text";

const decimal = (description: string, example: string) =>
  wholeNumber(
    z
      .string()
      .max(20)
      .regex(DECIMAL, NO_DECIMAL)
      .refine((text) => !DECIMAL.test(text) || fits(BigInt(text)), "does not fit into 64 bits")
      .meta({ description, example }),
  );

/** Only for answers: reading a number takes longer the more digits it has. */
const anyDecimal = (description: string, example: string) =>
  wholeNumber(z.string().regex(ANY_DECIMAL, NO_DECIMAL).meta({ description, example }));

function wholeNumber(text: z.ZodString) {
  return z.codec(text, z.bigint(), {
    decode: (digits) => BigInt(digits),
    encode: (amount) => String(amount),
  });
}

function fits(amount: bigint): boolean {
  return amount >= -MAX_BIGINT && amount <= MAX_BIGINT;
}

/** Micro-credits, signed. */
export const credits = decimal("Micro-credits: 1 credit is 1,000,000.", "12500000");

/** How far below zero holds and allowances may go: micro-credits, 0 for not at all, or `unlimited`. */
export const overdraft = z
  .codec(
    z
      .string()
      .max(20)
      .regex(/^(unlimited|0|[1-9]\d{0,18})$/, 'must be micro-credits from 0 on, or "unlimited"')
      .refine((text) => !DECIMAL.test(text) || fits(BigInt(text)), "does not fit into 64 bits"),
    z.bigint(),
    {
      decode: (text) => (text === "unlimited" ? UNLIMITED : BigInt(text)),
      encode: (credits) => (credits === UNLIMITED ? "unlimited" : String(credits)),
    },
  )
  .meta({
    description:
      'How far below zero holds and allowances may go: micro-credits, or "unlimited". null: the default.',
  });

/** Money in the minor unit of the account's currency. */
export const money = decimal("In the currency's minor unit: cents of USD.", "1000");

/** Any other whole number that may exceed what JSON numbers hold exactly. */
export const count = decimal("A whole number.", "42");

/** Micro-credits of several accounts, or at prices that nobody has paid. */
export const totalCredits = anyDecimal(
  "Micro-credits: 1 credit is 1,000,000. A total, which may exceed 64 bits.",
  "12500000",
);

/** Money of several fees, in the minor unit of its currency. */
export const totalMoney = anyDecimal(
  "In the currency's minor unit: cents of USD. A total, which may exceed 64 bits.",
  "1000",
);

/** The quantities of several events. */
export const totalQuantity = anyDecimal("A whole number, which may exceed 64 bits.", "42");

/** Reads ISO 8601 with an offset, writes UTC. */
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

/** An id: 1 to 256 characters of well-formed text without NUL. */
export const id = (name: string) => idBy(name, idProblem);

/** The id of something to create that has a URL of its own. */
export const pathId = (name: string) => idBy(name, pathIdProblem);

const idBy = (name: string, problemOf: typeof idProblem) =>
  z
    .string()
    .min(1)
    .max(MAX_ID_LENGTH)
    .superRefine((text, context) => {
      const problem = problemOf(name, text);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    });

/** The payment gateway's id of a payer or a card; never a card's number. */
export const gatewayId = (name: string) => idBy(name, gatewayIdProblem);

/** Free text. */
export const words = (most: number) =>
  z.string().max(most).refine(isStorable, "holds a NUL character or half of a surrogate pair");

const accountIdBy = (text: ReturnType<typeof id>) =>
  z.codec(text, z.custom<AccountId>(), {
    decode: (known) => known as AccountId,
    encode: (known) => known,
  });

/** The id of an account that may exist. */
export const accountId = accountIdBy(id("account id"));

/** The id of an account to create. */
export const newAccountId = accountIdBy(
  idBy("account id", newAccountIdProblem).meta({
    description: "Neither `.` nor `..`; no slash, no control character, no blank at either end.",
  }),
);
