import { z } from "zod";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { addOnAt } from "../../../shared/core/offer/catalogue.ts";
import { type AutoTopUp, amountsOf } from "../../../shared/core/payments/auto-top-up.ts";
import type { AccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { readAutoTopUp } from "../../../shared/ledger/books/auto-top-ups.ts";
import { readSchedules } from "../../../shared/ledger/books/schedules.ts";
import { readCatalogue } from "../../../shared/ledger/catalogue/catalogue.ts";
import { readPaymentMethod } from "../../../shared/ledger/payments/methods.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { accountId, count, credits, instant, money } from "../wire.ts";
import { type RouteParts, readOfAccount } from "./parts.ts";

export const autoTopUpView = z.object({
  enabled: z.boolean(),
  currency: z.string(),
  amount: money.meta({ description: "Charged each time, or as often as lifts the balance." }),
  limit_per_day: money,
  limit_per_month: money,
  paused_until: instant.nullable(),
  stopped: z.string().nullable().meta({ description: "Why it charges nothing until you act." }),
});

export function toAutoTopUpView(auto: AutoTopUp, currency: string) {
  const { amount, perDay, perMonth } = amountsOf(auto, currency);
  return {
    ...{ enabled: auto.enabled, currency, amount },
    ...{ limit_per_day: perDay, limit_per_month: perMonth },
    ...{ paused_until: auto.pausedUntil, stopped: auto.stopped },
  };
}

const subscriptionView = z.object({
  plan_id: z.string(),
  interval: z.enum(["month", "year"]),
  renewal: z.enum(["first_of_month", "day_of_month"]),
  subscribed_at: instant,
  period: z.number().int(),
  period_credits: credits,
  next_period_at: instant,
  next_plan_id: z.string().nullable(),
  next_interval: z.enum(["month", "year"]).nullable(),
  paid_until: z.number().int().meta({ description: "The first period that is not charged yet." }),
  paid_price: money,
  cancelled: z.boolean(),
  suspended: z.boolean(),
});

const addOnView = z.object({
  add_on_id: z.string(),
  quantity: z.number().int(),
  next_quantity: z.number().int(),
  credits_per_month: credits.nullable(),
});

/** What a subscription is, with its add-ons. */
export const scheduleView = z.object({
  subscription: subscriptionView.nullable(),
  add_ons: z.array(addOnView),
});

export const accountView = z.object({
  account_id: accountId,
  time_zone: z.string(),
  currency: z.string(),
  threshold: credits,
  balance: credits,
  granted: credits,
  position: credits,
  low_balance: z.boolean(),
  version: count,
  created_at: instant,
  next_due_at: instant.nullable(),
  auto_top_up: autoTopUpView,
  payment_method: z.object({ set: z.boolean() }),
  ...scheduleView.shape,
});

/** An account with all that is set of it. Throws a problem where there is none. */
export function readAccountView(parts: RouteParts, id: AccountId) {
  return readOfAccount(parts, id, async (transaction, details) => {
    const { account, currency, createdAt } = details;
    const auto = await readAutoTopUp(transaction, id);
    const method = await readPaymentMethod(transaction, id);
    return {
      account_id: id,
      time_zone: account.timeZone,
      currency,
      threshold: account.threshold,
      balance: balanceOf(account),
      granted: account.granted,
      position: account.position,
      low_balance: account.lowBalance,
      version: account.version,
      created_at: createdAt,
      next_due_at: account.nextDueAt,
      auto_top_up: toAutoTopUpView(auto, currency),
      payment_method: { set: method !== null },
      ...(await readScheduleView(transaction, details, parts.now())),
    };
  });
}

/** An account's subscription and add-ons, as they stand in the books. */
export async function readScheduleView(
  transaction: Transaction,
  { account }: AccountDetails,
  now: number,
) {
  const schedules = await readSchedules(transaction, [account.accountId]);
  const { subscription, addOns } = schedules.get(account.accountId) ?? EMPTY_SCHEDULE;
  const catalogue = await readCatalogue(transaction);
  return {
    subscription: subscription && {
      plan_id: subscription.planId,
      interval: subscription.interval,
      renewal: subscription.anchor.renewal,
      subscribed_at: subscription.subscribedAt,
      period: subscription.period,
      period_credits: subscription.periodCredits,
      next_period_at: subscription.nextPeriodAt,
      next_plan_id: subscription.nextPlanId,
      next_interval: subscription.nextInterval,
      paid_until: subscription.paidUntil,
      paid_price: subscription.paidPrice,
      cancelled: subscription.cancelled,
      suspended: subscription.withheld !== null,
    },
    add_ons: addOns.map((use) => ({
      add_on_id: use.addOnId,
      quantity: use.quantity,
      next_quantity: use.nextQuantity,
      credits_per_month: addOnAt(catalogue, use.addOnId, now)?.credits ?? null,
    })),
  };
}
