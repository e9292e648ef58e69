import { z } from "zod";
import { endOfPaid, type Schedule, type Subscription } from "../core/month/subscription.ts";
import { addOnAt, type Catalogue } from "../core/offer/catalogue.ts";
import { noun } from "./noun.ts";
import { credits, instant, money } from "./wire.ts";

/** How often a plan is paid. */
export const interval = z.enum(["month", "year"]);

/** When its months turn. */
export const renewal = z.enum(["first_of_month", "day_of_month"]);

/** An account's place on a plan. */
const subscription = noun({
  plan_id: z.string(),
  interval,
  renewal,
  subscribed_at: instant,
  period: z.number().int().meta({ description: "The month that runs, counted from 0." }),
  period_credits: credits,
  next_period_at: instant,
  next_plan_id: z.string().nullable(),
  next_interval: interval.nullable(),
  paid_until: instant.meta({ description: "When the first month begins that is not charged yet." }),
  paid_price: money,
  cancelled: z.boolean(),
  suspended: z.boolean(),
});

/** An add-on in use. */
const addOn = noun({
  add_on_id: z.string(),
  quantity: z.number().int(),
  next_quantity: z.number().int(),
  credits_per_month: credits.nullable(),
});

/** A subscription with its add-ons. */
export const scheduleFields = {
  subscription: subscription.nullable(),
  add_ons: z.array(addOn),
};

export const schedule = noun(scheduleFields);

function toSubscription(held: Subscription, timeZone: string) {
  const { anchor, withheld } = held;
  const paidUntil = endOfPaid(held, timeZone);
  return { ...held, renewal: anchor.renewal, paidUntil, suspended: withheld !== null };
}

/** `catalogue` as it stands `at` then: it tells what a unit of an add-on costs. */
export function toSchedule(
  held: Schedule,
  timeZone: string,
  { catalogue, at }: { readonly catalogue: Catalogue; readonly at: number },
) {
  return {
    subscription: held.subscription && toSubscription(held.subscription, timeZone),
    addOns: held.addOns.map((use) => ({
      ...use,
      creditsPerMonth: addOnAt(catalogue, use.addOnId, at)?.credits ?? null,
    })),
  };
}

export type AddOnData = z.input<typeof addOn>;
