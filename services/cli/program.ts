import type { Command } from "commander";
import { makeProgram } from "./shell/run-command.ts";

const ABOUT = `
Credits are typed and shown in credits (3, 0.25); --json shows micro-credits, a million to a credit.
Money is typed and shown in units of its currency (25, 9.90); --json shows minor units.
Exit codes: 0 done; 1 refused, not found or failed; 2 wrong usage or settings.

Environment:
  DATABASE_URL         Postgres: postgres://user:password@host:5432/drawdown
  KAFKA_BROKERS        Kafka: host:9092,host:9092
  SCHEMA_REGISTRY_URL  the schema registry: http://host:8081/apis/ccompat/v7

Example:
  $ drawdown account create acme --time-zone Europe/Berlin
  $ drawdown rate set llm.input_tokens 3 --per 1000000
  $ drawdown catalogue apply catalogue.yaml
  $ drawdown payment-method set acme --customer cus_9s6XKzkNRiz8i3 --method pm_1NirD82eZvKYlo2C
  $ drawdown subscription start acme growth
  $ drawdown add-on set acme voice_cloning 3
  $ drawdown grant acme 100 --source promotion
  $ drawdown top-up make acme 25
  $ drawdown lots acme`;

/** The commands in the order of the help, each loaded when it is needed. */
const COMMANDS: readonly (readonly [string, () => Promise<(program: Command) => void>])[] = [
  ["account", () => import("./account/account.ts").then((m) => m.addAccountCommands)],
  ["grant", () => import("./credits/grant.ts").then((m) => m.addGrantCommand)],
  ["hold", () => import("./credits/hold.ts").then((m) => m.addHoldCommands)],
  ["rate", () => import("./usage/rate.ts").then((m) => m.addRateCommands)],
  ["catalogue", () => import("./catalogue/catalogue.ts").then((m) => m.addCatalogueCommands)],
  [
    "subscription",
    () => import("./subscription/subscription.ts").then((m) => m.addSubscriptionCommands),
  ],
  ["add-on", () => import("./subscription/add-on.ts").then((m) => m.addAddOnCommands)],
  ["invoicing", () => import("./payments/invoicing.ts").then((m) => m.addInvoicingCommands)],
  ["payment-method", () => import("./payments/method.ts").then((m) => m.addPaymentMethodCommands)],
  ["top-up", () => import("./payments/top-up.ts").then((m) => m.addTopUpCommands)],
  ["payments", () => import("./payments/payments.ts").then((m) => m.addPaymentsCommand)],
  ["payment", () => import("./payments/payment.ts").then((m) => m.addPaymentCommands)],
  ["lots", () => import("./credits/lots.ts").then((m) => m.addLotsCommand)],
  ["lot", () => import("./credits/withdraw-lot.ts").then((m) => m.addLotCommands)],
  ["entries", () => import("./credits/entries.ts").then((m) => m.addEntriesCommand)],
  ["budget", () => import("./account/budget.ts").then((m) => m.addBudgetCommands)],
  ["alerts", () => import("./account/alerts.ts").then((m) => m.addAlertCommands)],
  ["key", () => import("./operate/key.ts").then((m) => m.addKeyCommands)],
  ["token", () => import("./operate/token.ts").then((m) => m.addTokenCommands)],
  [
    "dashboard-link",
    () => import("./operate/dashboard-link.ts").then((m) => m.addDashboardLinkCommand),
  ],
  ["webhooks", () => import("./webhooks/webhooks.ts").then((m) => m.addWebhookCommands)],
  ["publish", () => import("./usage/publish.ts").then((m) => m.addPublishCommand)],
  ["estimate", () => import("./usage/estimate.ts").then((m) => m.addEstimateCommand)],
  ["explain", () => import("./credits/explain.ts").then((m) => m.addExplainCommands)],
  [
    "dead-letters",
    () => import("./dead-letters/dead-letters.ts").then((m) => m.addDeadLetterCommands),
  ],
  ["what-if", () => import("./what-if/what-if.ts").then((m) => m.addWhatIfCommand)],
  ["scheduler", () => import("./operate/scheduler.ts").then((m) => m.addSchedulerCommands)],
  ["status", () => import("./operate/status.ts").then((m) => m.addStatusCommand)],
  ["doctor", () => import("./proof/doctor.ts").then((m) => m.addDoctorCommand)],
  ["reconcile", () => import("./proof/reconcile.ts").then((m) => m.addReconcileCommand)],
  ["replay", () => import("./proof/replay.ts").then((m) => m.addReplayCommand)],
  ["privacy", () => import("./privacy/privacy.ts").then((m) => m.addPrivacyCommands)],
];

/**
 * The program `drawdown` with the command that its first argument names, which loads in half the time of
 * all; the help and an unknown command need all of them.
 */
export async function loadProgram(command: string | undefined): Promise<Command> {
  const program = makeProgram("drawdown")
    .description("Meters usage and draws prepaid credits down, oldest first.")
    .addHelpText("after", ABOUT);
  const named = COMMANDS.filter(([name]) => name === command);
  for (const [, load] of named.length > 0 ? named : COMMANDS) (await load())(program);
  return program;
}
