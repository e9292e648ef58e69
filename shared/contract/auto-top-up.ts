import { z } from "zod";
import { type AutoTopUp, amountsOf } from "../core/payments/auto-top-up.ts";
import { noun } from "./noun.ts";
import { instant, money } from "./wire.ts";

/** Auto top-up: amounts as they hold, and where it stands. */
export const autoTopUp = noun({
  enabled: z.boolean(),
  currency: z.string(),
  amount: money.meta({ description: "Charged each time, or as often as lifts the balance." }),
  limit_per_day: money,
  limit_per_month: money,
  paused_until: instant.nullable(),
  stopped: z.string().nullable().meta({ description: "Why it charges nothing until you act." }),
});

export function toAutoTopUp(auto: AutoTopUp, currency: string) {
  const { amount, perDay, perMonth } = amountsOf(auto, currency);
  return { ...auto, currency, amount, limitPerDay: perDay, limitPerMonth: perMonth };
}

export type AutoTopUpData = z.input<typeof autoTopUp>;
