import { parseCredits } from "../../../shared/core/text/credits-text.ts";
import { parseMoney } from "../../../shared/core/text/money.ts";

/** An amount as somebody typed it, read exactly; or what is wrong with it, in words. */
export type Asked = { readonly amount: bigint } | { readonly wrong: string };

/** Reads money in a currency's minor unit: more than nothing. */
export function askedMoney(text: string, currency: string): Asked {
  const asked = read(text, (plain) => parseMoney(plain, currency));
  if ("amount" in asked && asked.amount === 0n) return { wrong: "Write an amount above 0." };
  return asked;
}

/** Reads credits. */
export function askedCredits(text: string): Asked {
  return read(text, parseCredits);
}

/** People write thousands separators as they see them here. */
function read(text: string, parse: (plain: string) => bigint): Asked {
  const plain = text.trim().replaceAll(/[,\s](?=\d{3}(\D|$))/g, "");
  if (plain === "") return { wrong: "Write an amount." };
  try {
    return { amount: parse(plain) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { wrong: `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.` };
  }
}
