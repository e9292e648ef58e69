import { decideCancel, decideResume } from "../core/changes/cancel-subscription.ts";
import { decideIntervalChange } from "../core/changes/change-interval.ts";
import { decidePlanChange } from "../core/changes/change-plan.ts";
import { decideSubscribe, type Subscribing } from "../core/changes/subscribe.ts";
import type { ChangeContext } from "../core/changes/subscription-change.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import type { BillingInterval } from "../core/offer/billing-periods.ts";
import { formatCredits } from "../core/text/credits-text.ts";
import { type Change, type Refusal, refusal, subject } from "./change.ts";
import { moneyText } from "./money-text.ts";
import { formatInstant, oftenText } from "./plain-words.ts";

/** The changes of a subscription, each with what is said when core refuses it. */
export function start(asked: Subscribing): Change {
  return (context) => {
    const decision = decideSubscribe(asked, context);
    switch (decision.kind) {
      case "changed":
        return decision;
      case "subscribed_already":
        return subscribedAlready(context);
      case "unknown_plan":
        return unknownPlan(asked.planId);
      case "no_price":
        return noPrice(asked.planId, context);
      case "overflow":
        return tooManyCredits(context, decision.most);
    }
  };
}

export function changePlan(planId: string): Change {
  return (context) => {
    const decision = decidePlanChange(planId, context);
    switch (decision.kind) {
      case "changed":
        return decision;
      case "no_subscription":
        return noSubscription(context);
      case "suspended":
        return suspended(context);
      case "unknown_plan":
        return unknownPlan(planId);
      case "no_price":
        return noPrice(planId, context);
      case "no_change":
        return onPlanAlready(planId, context);
      case "overflow":
        return tooManyCredits(context, decision.most);
    }
  };
}

export function changeInterval(interval: BillingInterval): Change {
  return (context) => {
    const decision = decideIntervalChange(interval, context);
    switch (decision.kind) {
      case "changed":
        return decision;
      case "no_subscription":
        return noSubscription(context);
      case "suspended":
        return suspended(context);
      case "no_change":
        return paysSoAlready(interval, context);
    }
  };
}

export const cancel: Change = (context) => {
  const decision = decideCancel(context);
  switch (decision.kind) {
    case "changed":
      return decision;
    case "no_subscription":
      return noSubscription(context);
    case "cancelled_already":
      return refusal(`the subscription of ${subject(context)} is cancelled already`);
  }
};

export const resume: Change = (context) => {
  const decision = decideResume(context);
  switch (decision.kind) {
    case "changed":
      return decision;
    case "no_subscription":
      return noSubscription(context);
    case "not_cancelled":
      return refusal(`the subscription of ${subject(context)} is not cancelled`);
  }
};

export function noSubscription(context: ChangeContext): Refusal {
  return refusal(`${subject(context)} has no subscription; begin one with subscription start`);
}

/** The fee is told by its price: what is owed of it may be less, as for a change to a dearer plan. */
export function suspended(context: ChangeContext): Refusal {
  const { subscription } = context.book.schedule;
  const price = moneyText(subscription?.paidPrice ?? 0n, context.currency);
  return refusal(
    `the subscription of ${subject(context)} is suspended: its fee of ${price} a ${subscription?.interval} is not paid`,
  );
}

function subscribedAlready(context: ChangeContext): Refusal {
  const { subscription } = context.book.schedule;
  const change = subscription?.cancelled === true ? "resume it" : "change it";
  return refusal(
    `${subject(context)} has a subscription already, to plan ${subscription?.planId}; ${change}, or start another once it has ended`,
  );
}

function onPlanAlready(planId: string, context: ChangeContext): Refusal {
  const { subscription } = context.book.schedule;
  return refusal(
    planId === subscription?.planId
      ? `${subject(context)} is on plan ${planId} already`
      : `${subject(context)} is to change to plan ${planId} already, at ${formatInstant(subscription?.nextPeriodAt ?? null)}`,
  );
}

function paysSoAlready(interval: BillingInterval, context: ChangeContext): Refusal {
  const { subscription } = context.book.schedule;
  const often = oftenText(interval);
  return refusal(
    interval === subscription?.interval
      ? `${subject(context)} pays ${often} already`
      : `${subject(context)} is to pay ${often} already, once what is paid has passed`,
  );
}

function unknownPlan(planId: string): Refusal {
  return refusal(`there is no plan ${planId} now; catalogue show lists what is on offer`);
}

function noPrice(planId: string, context: ChangeContext): Refusal {
  return refusal(
    `plan ${planId} has no price in ${context.currency}, which ${subject(context)} pays in`,
  );
}

function tooManyCredits(context: ChangeContext, most: MicroCredits): Refusal {
  return refusal(
    `${subject(context)} cannot hold that many: at most ${formatCredits(most)} credits still fit`,
  );
}
