import { z } from "zod";
import { firstFeeOf, owedFees } from "../core/changes/paying-fees.ts";
import type { Account, Instant } from "../core/line/account.ts";
import type { Fee } from "../core/month/fee.ts";
import { endOfPaid, type Schedule, type Subscription } from "../core/month/subscription.ts";
import { nextCredits } from "../core/month/turn-of-month.ts";
import { addOnAt, type Catalogue } from "../core/offer/catalogue.ts";
import { openFee, toFee } from "./fee.ts";
import { noun } from "./noun.ts";
import { credits, instant, money } from "./wire.ts";

export const interval = z.enum(["month", "year"]);

export const renewal = z.enum(["first_of_month", "day_of_month"]);

/** An account's place on a plan. */
const subscription = noun({
  number: z.number().int().meta({ description: "Counts an account's subscriptions from 1." }),
  plan_id: z.string(),
  interval,
  renewal,
  subscribed_at: instant,
  period: z.number().int().meta({ description: "The month that runs, counted from 0." }),
  period_began_at: instant.nullable(),
  period_credits: credits,
  first_part: noun({ days: z.number().int(), of: z.number().int() })
    .meta({
      title: "First part of a month",
      description:
        "The days of the first month that it cost and brought, if its plan says so (`first_month: by_days`); null: the whole.",
    })
    .nullable(),
  next_period_at: instant,
  next_credits: credits.nullable().meta({
    description:
      "What the next month brings, by the catalogue as it is; null: none, as the subscription ends.",
  }),
  next_plan_id: z.string().nullable(),
  next_interval: interval.nullable(),
  paid_until: instant.meta({ description: "When the first month begins that is not charged yet." }),
  currency: z.string(),
  paid_price: money,
  cancelled: z.boolean(),
  waiting_for_payment: z.boolean().meta({
    description: "true: its first fee is not paid, and the credits come once it is.",
  }),
  suspended: z.boolean(),
  withheld: z
    .array(z.number().int())
    .nullable()
    .meta({ description: "While suspended or waiting: the months that began without credits." }),
}).meta({ title: "Subscription" });

/** An add-on in use. */
const addOn = noun({
  add_on_id: z.string(),
  quantity: z.number().int(),
  next_quantity: z.number().int(),
  credits_per_month: credits.nullable(),
}).meta({ title: "Add-on" });

/** An add-on's charge that waits for the usage before it. */
const waitingCharge = noun({
  add_on_id: z.string(),
  period: z.number().int(),
  quantity: z.number().int(),
  credits,
  due_at: instant,
}).meta({ title: "Waiting charge" });

export const addOnFields = {
  add_ons: z.array(addOn),
  waiting_charges: z.array(waitingCharge),
};

/** A subscription with its add-ons and unpaid fees. */
export const scheduleFields = {
  subscription: subscription.nullable(),
  ...addOnFields,
  open_fees: z.array(openFee),
};

export const schedule = noun(scheduleFields).meta({ title: "Subscription and add-ons" });

/** What is read of a subscription to show it. */
export interface ScheduleRead {
  readonly account: Pick<Account, "timeZone">;
  readonly schedule: Schedule;
  readonly periodBeganAt: Instant | null;
  readonly openFees: readonly OpenFee[];
  readonly catalogue: Catalogue;
}

type OpenFee = Fee & Pick<z.output<typeof openFee>, "status" | "attempt" | "reason" | "nextTryAt">;

/** `at`: the instant for the prices of add-ons. */
export function toSchedule({ account, schedule: held, ...read }: ScheduleRead, at: Instant) {
  const { subscription: running } = held;
  return {
    subscription: running && {
      ...{ ...running, renewal: running.anchor.renewal, periodBeganAt: read.periodBeganAt },
      paidUntil: endOfPaid(running, account.timeZone),
      nextCredits: nextCredits(running, read.catalogue),
      ...statesOf(running, read.openFees),
    },
    addOns: held.addOns.map((use) => ({
      ...use,
      creditsPerMonth: addOnAt(read.catalogue, use.addOnId, at)?.credits ?? null,
    })),
    waitingCharges: held.dueCharges.map((due) => ({ ...due, quantity: due.units })),
    openFees: owedFees(read.openFees, held).map(toFee),
  };
}

function statesOf(running: Subscription, fees: readonly OpenFee[]) {
  const waitingForPayment = firstFeeOf(running, fees) !== null;
  return { waitingForPayment, suspended: running.withheld !== null && !waitingForPayment };
}

export type AddOnData = z.input<typeof addOn>;

export type ScheduleData = z.input<typeof schedule>;
