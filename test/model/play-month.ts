import { HISTORY_CATALOGUE, HISTORY_RATES } from "./history-catalogue.ts";
import type { AccountStep, MonthHistory, MonthStep } from "./month-history.ts";
import { createMonthModel, type MonthModel } from "./month-model.ts";

const DAY = 24 * 60 * 60_000;

/** A model with the accounts of a history, before its first step. */
export function openHistory({ accounts }: MonthHistory): MonthModel {
  const model = createMonthModel({
    catalogue: HISTORY_CATALOGUE,
    rates: HISTORY_RATES,
    window: { maxAheadMs: 5 * 60_000, maxBehindMs: 35 * DAY },
  });
  for (const { id, timeZone, currency, threshold } of accounts) {
    model.createAccount(id, { timeZone, currency, threshold: BigInt(threshold) });
  }
  return model;
}

/** Plays one step on the model; returns its outcome. */
export function playStep(model: MonthModel, step: MonthStep): string {
  switch (step.kind) {
    case "caught up":
      model.caughtUp(step.at);
      return "caught up";
    case "settle":
      for (const id of model.accountIds()) model.settle(id, step.at);
      return "settled";
    default:
      return playAccountStep(model, step);
  }
}

function playAccountStep(model: MonthModel, step: AccountStep): string {
  const { account, at } = step;
  switch (step.kind) {
    case "use":
      return model.receive(usageOf(step), at);
    case "subscribe": {
      const { plan: planId, interval, renewal } = step;
      return model.subscribe(account, { planId, interval, renewal }, at);
    }
    case "change plan":
      return model.changePlan(account, step.plan, at);
    case "change interval":
      return model.changeInterval(account, step.interval, at);
    case "fee given up":
      return model.feeGivenUp(account, step, at);
    case "fee paid":
      return model.feePaid(account, step, at);
    case "cancel":
      return model.cancel(account, at);
    case "resume":
      return model.resume(account, at);
    case "set add-on":
      return model.setAddOn(account, { addOnId: step.addOn, quantity: step.quantity }, at);
    case "change zone":
      return model.changeTimeZone(account, step.timeZone, at);
    case "grant": {
      const { lot: lotId, end } = step;
      return model.grant(account, { lotId, credits: BigInt(step.credits), end }, at);
    }
    case "withdraw": {
      const credits = step.credits === null ? null : BigInt(step.credits);
      return model.withdraw(account, { lotId: step.lot, credits }, at);
    }
  }
}

/** The usage event of a step. */
export function usageOf(step: Extract<AccountStep, { kind: "use" }>) {
  return {
    eventId: `event-${step.event}`,
    accountId: step.account,
    meter: "token",
    quantity: BigInt(step.tokens),
    occurredAt: step.occurredAt,
    source: "",
    dimensions: {},
    // A third of the requests have read a part of their tokens from a cache.
    quantities: step.event % 3 === 0 ? { "cached token": BigInt(step.tokens >> 1) } : {},
    holdId: null,
  };
}
