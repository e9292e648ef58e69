import { z } from "zod";
import { type Ceilings, MOST_CHARGED } from "../../shared/core/payments/charge-limits.ts";
import { isCurrency, moneyText, parseMoney } from "../../shared/core/text/money.ts";
import { InvalidSettings } from "../../shared/runtime/settings.ts";

const ONE = /^([A-Z]{3}) +([^/\s]+) *\/ *([^/\s]+) *\/ *([^/\s]+)$/;

/** The seller's default ceilings, by currency: `USD 1000/2000/10000, EUR 900/1800/9000`. */
export const TOP_UP_CEILINGS = z
  .string()
  .default("")
  .transform((text, context): ReadonlyMap<string, Ceilings> => {
    const ceilings = new Map<string, Ceilings>();
    for (const one of text.split(",").map((part) => part.trim())) {
      if (one === "") continue;
      const read = readOne(one);
      if (read === null || ceilings.has(read.currency)) {
        context.addIssue({ code: "custom", message: MESSAGE });
        return z.NEVER;
      }
      ceilings.set(read.currency, read.ceilings);
    }
    return ceilings;
  })
  .describe(
    "The most that a top-up, a day's top-ups and a month's may be, for all accounts of a currency that have no ceilings of their own: `USD 1000/2000/10000`, several separated by commas. A currency that is not named has 100, 200 and 1,000 times the usual top-up (USD 1,000, 2,000 and 10,000)",
  );

/** Throws InvalidSettings for a ceiling below the gateway's minimum charge: no top-up would be possible. */
export function requireChargeable(
  ceilings: ReadonlyMap<string, Ceilings>,
  { name, minimumCharges }: GatewayMinimums,
): void {
  for (const [currency, { amount }] of ceilings) {
    const least = minimumCharges.get(currency) ?? 1n;
    if (amount >= least) continue;
    throw new InvalidSettings(
      `TOP_UP_CEILINGS allows ${moneyText(amount, currency)} at most, and the gateway ${name} charges ${moneyText(least, currency)} at least: no top-up in ${currency} would be possible. Raise it.`,
    );
  }
}

interface GatewayMinimums {
  readonly name: string;
  readonly minimumCharges: ReadonlyMap<string, bigint>;
}

const MESSAGE =
  "must be like USD 1000/2000/10000: for each currency once, the most of one top-up, a day and a month, each at least as much as the one before";

function readOne(text: string): { currency: string; ceilings: Ceilings } | null {
  const [, currency, ...amounts] = ONE.exec(text) ?? [];
  if (currency === undefined || !isCurrency(currency)) return null;
  const [amount, perDay, perMonth] = amounts.map((money) => readMoney(money, currency));
  if (amount == null || perDay == null || perMonth == null) return null;
  const isInOrder = amount > 0n && amount <= MOST_CHARGED && amount <= perDay && perDay <= perMonth;
  return isInOrder ? { currency, ceilings: { amount, perDay, perMonth } } : null;
}

function readMoney(text: string, currency: string): bigint | null {
  try {
    return parseMoney(text, currency);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
