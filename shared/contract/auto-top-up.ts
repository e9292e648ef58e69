import { z } from "zod";
import type { Account, Instant } from "../core/line/account.ts";
import { waitsForNeed } from "../core/line/low-balance.ts";
import { type AutoTopUp, amountsOf } from "../core/payments/auto-top-up.ts";
import { ceilingsOf } from "../core/payments/ceilings.ts";
import type { ChargeCurrency } from "../core/payments/charge-limits.ts";
import { noun } from "./noun.ts";
import { instant, money } from "./wire.ts";

const amounts = { amount: money, limit_per_day: money, limit_per_month: money };

/** Which amounts are the default. */
const defaults = noun({
  amount: z.boolean(),
  limit_per_day: z.boolean(),
  limit_per_month: z.boolean(),
}).meta({
  title: "Default amounts",
  description: "Which of these are the default: nobody has set them.",
});

/** Auto top-up: the amounts in force, its state, what it has charged and who agreed to it. */
export const autoTopUpFields = {
  enabled: z.boolean(),
  currency: z.string(),
  amount: money.meta({ description: "Charged each time, or as often as lifts the balance." }),
  limit_per_day: money,
  limit_per_month: money.meta({ description: "All that can be charged for top-ups in a month." }),
  defaults,
  keep_after_subscription: z.boolean().meta({
    description: "false: auto top-up ends with the subscription.",
  }),
  ceilings: noun({ ...amounts, defaults }).meta({
    title: "Top-up ceilings",
    description: "Set by the seller. They cut what is set above them.",
  }),
  charged: noun({ today: money, this_month: money }).meta({
    title: "Charged top-ups",
    description: "For top-ups, automatic or by hand, pending ones included.",
  }),
  consent: noun({ by: z.string(), at: instant, by_default: z.boolean() })
    .meta({ title: "Auto top-up consent" })
    .nullable()
    .meta({
      description:
        "Who last switched it on or changed its amount, its limits or the threshold; by_default: nobody has, and it is on since the account was created. null: it is off.",
    }),
  paused_until: instant.nullable(),
  stopped: z.string().nullable().meta({ description: "Why it charges nothing until you act." }),
  waits_for_need: z.boolean().meta({
    description:
      "true: the balance is low, but only expiries, deductions or withdrawals brought it down. Nothing is charged until usage or an add-on needs credits.",
  }),
  declines: z.number().int().meta({ description: "Declined payments in a row." }),
  next_look_at: instant.nullable().meta({
    description: "When the account is looked at without a low balance; null: not.",
  }),
};

export const autoTopUp = noun(autoTopUpFields).meta({ title: "Auto top-up" });

/** What is read of an account's auto top-up to show it. */
export interface AutoTopUpRead {
  readonly auto: AutoTopUp;
  readonly charged: { readonly today: bigint; readonly thisMonth: bigint };
  readonly consent: {
    readonly by: string;
    readonly at: Instant;
    readonly byDefault: boolean;
  } | null;
}

export function toAutoTopUp(
  { auto, charged, consent }: AutoTopUpRead,
  { account, ...currency }: ChargeCurrency & { readonly account: Account },
) {
  const { amount, perDay, perMonth } = amountsOf(auto, currency);
  const most = ceilingsOf(auto.ceilings, currency);
  return {
    ...auto,
    ...{ currency: currency.currency, amount, limitPerDay: perDay, limitPerMonth: perMonth },
    defaults: {
      amount: auto.amount === null,
      limitPerDay: auto.limitPerDay === null,
      limitPerMonth: auto.limitPerMonth === null,
    },
    ceilings: {
      ...{ amount: most.amount, limitPerDay: most.perDay, limitPerMonth: most.perMonth },
      defaults: {
        amount: auto.ceilings.amount === null,
        limitPerDay: auto.ceilings.perDay === null,
        limitPerMonth: auto.ceilings.perMonth === null,
      },
    },
    ...{ charged, consent, nextLookAt: auto.lookAt },
    waitsForNeed: auto.enabled && auto.stopped === null && waitsForNeed(account),
  };
}

export type AutoTopUpData = z.input<typeof autoTopUp>;
