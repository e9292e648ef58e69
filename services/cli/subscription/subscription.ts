import type { Command } from "commander";
import { decideCancel, decideResume } from "../../../shared/core/changes/cancel-subscription.ts";
import { decideIntervalChange } from "../../../shared/core/changes/change-interval.ts";
import { decidePlanChange } from "../../../shared/core/changes/change-plan.ts";
import { decideSubscribe, type Subscribing } from "../../../shared/core/changes/subscribe.ts";
import {
  accountIdArgument,
  idArgument,
  intervalArgument,
  renewalArgument,
} from "../shell/arguments.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { listHistory } from "./history.ts";
import { addChangeCommand, type ByOption, makeChange, toAsked } from "./make-change.ts";
import { showSubscription } from "./show.ts";

interface StartOptions extends ByOption {
  readonly interval: string;
  readonly renewal: string;
}

export function addSubscriptionCommands(program: Command): void {
  const subscription = program
    .command("subscription")
    .description("start, change, cancel and show accounts' subscriptions");
  addChangeCommand(subscription, "start <account> <plan>", {
    does: "put an account on a plan; the first month's credits come at once",
    examples: [
      "subscription start acme growth",
      "subscription start acme growth --interval year --renewal day-of-month --by sales",
    ],
  })
    .option("--interval <interval>", "how often it is paid, month or year", "month")
    .option(
      "--renewal <renewal>",
      "when months turn, first-of-month or day-of-month: the day it starts",
      "first-of-month",
    )
    .action((id: string, plan: string, options: StartOptions) =>
      run(options, (settings) => {
        const asked = toAsked(id, options);
        const subscribing = toSubscribing(plan, options);
        return makeChange(settings, asked, (context) => decideSubscribe(subscribing, context));
      }),
    );
  addChangeCommand(subscription, "change-plan <account> <plan>", {
    does: "change the plan: a larger one at once, with the difference in credits; any other from the next period on",
    examples: ["subscription change-plan acme scale"],
  }).action((id: string, plan: string, options: ByOption) =>
    run(options, (settings) => {
      const [asked, planId] = [toAsked(id, options), idArgument("plan", plan)];
      return makeChange(settings, asked, (context) => decidePlanChange(planId, context));
    }),
  );
  addChangeCommand(subscription, "change-interval <account> <interval>", {
    does: "pay by the month or by the year once what is paid has passed",
    examples: ["subscription change-interval acme year"],
  }).action((id: string, interval: string, options: ByOption) =>
    run(options, (settings) => {
      const [asked, often] = [toAsked(id, options), intervalArgument("interval", interval)];
      return makeChange(settings, asked, (context) => decideIntervalChange(often, context));
    }),
  );
  addChangeCommand(subscription, "cancel <account>", {
    does: "cancel; credits go on to the end of what is paid",
    examples: ["subscription cancel acme"],
  }).action((id: string, options: ByOption) =>
    run(options, (settings) => makeChange(settings, toAsked(id, options), decideCancel)),
  );
  addChangeCommand(subscription, "resume <account>", {
    does: "take a cancellation back before the subscription has ended",
    examples: ["subscription resume acme"],
  }).action((id: string, options: ByOption) =>
    run(options, (settings) => makeChange(settings, toAsked(id, options), decideResume)),
  );
  addCommand(subscription, "show <account>", {
    does: "show an account's plan, period, add-ons, what is planned and which fees are not paid",
    examples: ["subscription show acme"],
  }).action((id: string, options: JsonOption) =>
    run(options, (settings) => showSubscription(settings, accountIdArgument(id))),
  );
  addCommand(subscription, "history <account>", {
    does: "say who changed what, and when, oldest first",
    examples: ["subscription history acme"],
  }).action((id: string, options: JsonOption) =>
    run(options, (settings) => listHistory(settings, accountIdArgument(id))),
  );
}

function toSubscribing(plan: string, { interval, renewal }: StartOptions): Subscribing {
  return {
    planId: idArgument("plan", plan),
    interval: intervalArgument("--interval", interval),
    renewal: renewalArgument(renewal),
  };
}
