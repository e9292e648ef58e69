import type { Command } from "commander";
import { decideCancel, decideResume } from "../../../shared/core/changes/cancel-subscription.ts";
import { decideIntervalChange } from "../../../shared/core/changes/change-interval.ts";
import { decidePlanChange } from "../../../shared/core/changes/change-plan.ts";
import { decideSubscribe } from "../../../shared/core/changes/subscribe.ts";
import { idArgument, intervalArgument, renewalArgument } from "../shell/arguments.ts";
import { addChangeCommand, type ByOption } from "../shell/change-command.ts";
import { addCommand, forAccount } from "../shell/run-command.ts";
import { listHistory } from "./history.ts";
import { runChange } from "./make-change.ts";
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
    does: "subscribe an account to a plan; the first month's credits come when it is paid, or immediately, as the plan says",
    examples: [
      "subscription start acme growth",
      "subscription start acme growth --interval year --renewal day-of-month --by sales",
    ],
  })
    .option("--interval <interval>", "how often it is paid: month or year", "month")
    .option(
      "--renewal <renewal>",
      "when its months begin: first-of-month, or day-of-month, the day on which it starts",
      "first-of-month",
    )
    .action((id: string, plan: string, options: StartOptions) => {
      const subscribing = {
        planId: idArgument("plan", plan),
        interval: intervalArgument("--interval", options.interval),
        renewal: renewalArgument(options.renewal),
      };
      return runChange(id, options, (context) => decideSubscribe(subscribing, context));
    });
  addChangeCommand(subscription, "change-plan <account> <plan>", {
    does: "change the plan: to a larger one immediately, with the difference in credits; to any other from the next period on",
    examples: ["subscription change-plan acme scale"],
  }).action((id: string, plan: string, options: ByOption) => {
    const planId = idArgument("plan", plan);
    return runChange(id, options, (context) => decidePlanChange(planId, context));
  });
  addChangeCommand(subscription, "change-interval <account> <interval>", {
    does: "pay by the month or by the year, from the end of what is paid on",
    examples: ["subscription change-interval acme year"],
  }).action((id: string, text: string, options: ByOption) => {
    const interval = intervalArgument("interval", text);
    return runChange(id, options, (context) => decideIntervalChange(interval, context));
  });
  addChangeCommand(subscription, "cancel <account>", {
    does: "cancel; the account keeps its months' credits to the end of what is paid",
    examples: ["subscription cancel acme"],
  }).action((id: string, options: ByOption) => runChange(id, options, decideCancel));
  addChangeCommand(subscription, "resume <account>", {
    does: "undo a cancellation before the subscription has ended",
    examples: ["subscription resume acme"],
  }).action((id: string, options: ByOption) => runChange(id, options, decideResume));
  addCommand(subscription, "show <account>", {
    does: "show an account's plan, period, add-ons, planned changes and unpaid fees",
    examples: ["subscription show acme"],
  }).action(forAccount(showSubscription));
  addCommand(subscription, "history <account>", {
    does: "list who changed what, and when, oldest first",
    examples: ["subscription history acme"],
  }).action(forAccount(listHistory));
}
