import { parseCredits } from "../../../shared/core/text/credits-text.ts";
import { parseMoney } from "../../../shared/core/text/money.ts";
import { plainText } from "../text/locale.ts";

/** The exact amount that a user entered, or what is wrong with it. */
export type EnteredAmount = { readonly amount: bigint } | { readonly wrong: string };

/** Reads an amount of money above 0, in the currency's minor unit. */
export function readMoney(text: string, currency: string): EnteredAmount {
  const entered = read(text, (plain) => parseMoney(plain, currency));
  if ("amount" in entered && entered.amount === 0n) return { wrong: "Enter an amount above 0." };
  return entered;
}

/** Reads credits. */
export function readCredits(text: string): EnteredAmount {
  return read(text, parseCredits);
}

function read(text: string, parse: (plain: string) => bigint): EnteredAmount {
  const plain = plainText(text);
  if (plain === "") return { wrong: "Enter an amount." };
  try {
    return { amount: parse(plain) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { wrong: `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.` };
  }
}
