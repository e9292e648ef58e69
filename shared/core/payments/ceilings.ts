import { least } from "../line/credit-line.ts";
import type { Refusal } from "../line/refusal.ts";
import { type Ceilings, type ChargeCurrency, MOST_CHARGED, usualTopUp } from "./charge-limits.ts";

/** The ceilings that the seller has set for one account; null: the default of its currency. */
export type OwnCeilings = { readonly [Ceiling in keyof Ceilings]: bigint | null };

/** The ceilings of an account for which the seller has set none. */
export const DEFAULT_CEILINGS: OwnCeilings = { amount: null, perDay: null, perMonth: null };

const TIMES: Ceilings = { amount: 100n, perDay: 200n, perMonth: 1_000n };

/**
 * The ceilings in force, in minor units: the account's own, the seller's defaults of the currency, or
 * 100, 200 and 1,000 usual top-ups (USD 1,000 each, 2,000 a day, 10,000 a month). One top-up is never
 * more than a day's ceiling, nor a day more than a month's.
 */
export function ceilingsOf(own: OwnCeilings, charged: ChargeCurrency): Ceilings {
  const { defaultCeilings } = charged;
  const usual = usualTopUp(charged);
  const most = (of: keyof Ceilings) => own[of] ?? defaultCeilings?.[of] ?? usual * TIMES[of];
  const perMonth = most("perMonth");
  const perDay = least(most("perDay"), perMonth);
  return { amount: least(most("amount"), perDay, MOST_CHARGED), perDay, perMonth };
}

/** Why an amount or a limit that is asked for, in minor units, is above its ceiling; null: it is not. */
export function refuseAboveCeiling(
  per: Refusal<"above_ceiling">["per"],
  asked: bigint | null | undefined,
  ceilings: Ceilings,
  { currency }: Pick<ChargeCurrency, "currency">,
): Refusal<"above_ceiling"> | null {
  const ceiling = ceilings[OF[per]];
  if (asked === null || asked === undefined || asked <= ceiling) return null;
  return { kind: "above_ceiling", per, asked, ceiling, currency };
}

const OF = { top_up: "amount", day: "perDay", month: "perMonth" } as const;
