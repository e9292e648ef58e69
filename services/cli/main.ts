#!/usr/bin/env node
import { addAccountCommands } from "./account/account.ts";
import { addCatalogueCommands } from "./catalogue/catalogue.ts";
import { addEntriesCommand } from "./credits/entries.ts";
import { addExplainCommands } from "./credits/explain.ts";
import { addGrantCommand } from "./credits/grant.ts";
import { addLotsCommand } from "./credits/lots.ts";
import { addLotCommands } from "./credits/withdraw-lot.ts";
import { addDeadLetterCommands } from "./dead-letters/dead-letters.ts";
import { addDashboardLinkCommand } from "./operate/dashboard-link.ts";
import { addKeyCommands } from "./operate/key.ts";
import { addSchedulerCommands } from "./operate/scheduler.ts";
import { addStatusCommand } from "./operate/status.ts";
import { addPaymentMethodCommands } from "./payments/method.ts";
import { addPaymentCommands } from "./payments/payment.ts";
import { addPaymentsCommand } from "./payments/payments.ts";
import { addTopUpCommands } from "./payments/top-up.ts";
import { addDoctorCommand } from "./proof/doctor.ts";
import { addReconcileCommand } from "./proof/reconcile.ts";
import { addReplayCommand } from "./proof/replay.ts";
import { makeProgram, runProgram } from "./shell/run-command.ts";
import { addAddOnCommands } from "./subscription/add-on.ts";
import { addSubscriptionCommands } from "./subscription/subscription.ts";
import { addPublishCommand } from "./usage/publish.ts";
import { addRateCommands } from "./usage/rate.ts";
import { addWhatIfCommand } from "./what-if/what-if.ts";

const ABOUT = `
Credits are typed and shown in credits (3, 0.25); --json gives them in micro-credits, of which a
credit has a million. Money is typed and shown in units of its currency (25, 9.90); --json gives it
in minor units. Exit codes: 0 done; 1 refused, not found or failed; 2 wrong usage or settings.

Environment:
  DATABASE_URL         where Postgres is: postgres://user:password@host:5432/drawdown
  KAFKA_BROKERS        where Kafka is: host:9092,host:9092
  SCHEMA_REGISTRY_URL  where the schema registry is: http://host:8081

Example:
  $ drawdown account create acme --time-zone Europe/Berlin
  $ drawdown rate set llm.input_tokens 3 --per 1000000
  $ drawdown catalogue apply catalogue.yaml
  $ drawdown subscription start acme growth
  $ drawdown add-on set acme voice_cloning 3
  $ drawdown grant acme 100 --source promotion
  $ drawdown payment-method set acme --customer cus_9s6XKzkNRiz8i3 --method pm_1NirD82eZvKYlo2C
  $ drawdown top-up make acme 25
  $ drawdown lots acme`;

const program = makeProgram("drawdown")
  .description("Meters usage and draws prepaid credits down, oldest first.")
  .addHelpText("after", ABOUT);

addAccountCommands(program);
addGrantCommand(program);
addRateCommands(program);
addCatalogueCommands(program);
addSubscriptionCommands(program);
addAddOnCommands(program);
addPaymentMethodCommands(program);
addTopUpCommands(program);
addPaymentsCommand(program);
addPaymentCommands(program);
addLotsCommand(program);
addLotCommands(program);
addEntriesCommand(program);
addKeyCommands(program);
addDashboardLinkCommand(program);
addPublishCommand(program);
addExplainCommands(program);
addDeadLetterCommands(program);
addWhatIfCommand(program);
addSchedulerCommands(program);
addStatusCommand(program);
addDoctorCommand(program);
addReconcileCommand(program);
addReplayCommand(program);

await runProgram(program);
