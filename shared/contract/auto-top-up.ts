import { z } from "zod";
import { type AutoTopUp, amountsOf } from "../core/payments/auto-top-up.ts";
import type { ChargeCurrency } from "../core/payments/charge-limits.ts";
import { noun } from "./noun.ts";
import { instant, money } from "./wire.ts";

/** Auto top-up: the amounts in force, and its state. */
export const autoTopUpFields = {
  enabled: z.boolean(),
  currency: z.string(),
  amount: money.meta({ description: "Charged each time, or as often as lifts the balance." }),
  limit_per_day: money,
  limit_per_month: money,
  defaults: noun({
    amount: z.boolean(),
    limit_per_day: z.boolean(),
    limit_per_month: z.boolean(),
  }).meta({ description: "Which of these are the default: nobody has set them." }),
  paused_until: instant.nullable(),
  stopped: z.string().nullable().meta({ description: "Why it charges nothing until you act." }),
  declines: z.number().int().meta({ description: "Declined payments in a row." }),
  next_look_at: instant.nullable().meta({
    description: "When the account is looked at without a low balance; null: not.",
  }),
};

export const autoTopUp = noun(autoTopUpFields);

export function toAutoTopUp(auto: AutoTopUp, charged: ChargeCurrency) {
  const { amount, perDay, perMonth } = amountsOf(auto, charged);
  return {
    ...auto,
    ...{ currency: charged.currency, amount, limitPerDay: perDay, limitPerMonth: perMonth },
    defaults: {
      amount: auto.amount === null,
      limitPerDay: auto.limitPerDay === null,
      limitPerMonth: auto.limitPerMonth === null,
    },
    nextLookAt: auto.lookAt,
  };
}

export type AutoTopUpData = z.input<typeof autoTopUp>;
