#!/usr/bin/env node
import { addAccountCommands } from "./account.ts";
import { addAddOnCommands } from "./add-on.ts";
import { addCatalogueCommands } from "./catalogue.ts";
import { addDashboardLinkCommand } from "./dashboard-link.ts";
import { addDeadLetterCommands } from "./dead-letters.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addEntriesCommand } from "./entries.ts";
import { addExplainCommands } from "./explain.ts";
import { addGrantCommand } from "./grant.ts";
import { addKeyCommands } from "./key.ts";
import { addLotCommands } from "./lot-withdraw.ts";
import { addLotsCommand } from "./lots.ts";
import { addPaymentCommands } from "./payment.ts";
import { addPaymentMethodCommands } from "./payment-method.ts";
import { addPaymentsCommand } from "./payments.ts";
import { addPublishCommand } from "./publish.ts";
import { addRateCommands } from "./rate.ts";
import { addReconcileCommand } from "./reconcile.ts";
import { addReplayCommand } from "./replay.ts";
import { makeProgram, runProgram } from "./run-command.ts";
import { addSchedulerCommands } from "./scheduler.ts";
import { addStatusCommand } from "./status.ts";
import { addSubscriptionCommands } from "./subscription.ts";
import { addTopUpCommands } from "./top-up.ts";
import { addWhatIfCommand } from "./what-if.ts";

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
