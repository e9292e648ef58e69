import { Command } from "commander";
import { addAccountCommands } from "../../../services/cli/account/account.ts";
import { addBudgetCommands } from "../../../services/cli/account/budget.ts";
import { addCatalogueCommands } from "../../../services/cli/catalogue/catalogue.ts";
import { addEntriesCommand } from "../../../services/cli/credits/entries.ts";
import { addExplainCommands } from "../../../services/cli/credits/explain.ts";
import { addGrantCommand } from "../../../services/cli/credits/grant.ts";
import { addHoldCommands } from "../../../services/cli/credits/hold.ts";
import { addLotsCommand } from "../../../services/cli/credits/lots.ts";
import { addLotCommands } from "../../../services/cli/credits/withdraw-lot.ts";
import { addDeadLetterCommands } from "../../../services/cli/dead-letters/dead-letters.ts";
import { addKeyCommands } from "../../../services/cli/operate/key.ts";
import { addTokenCommands } from "../../../services/cli/operate/token.ts";
import { addPaymentMethodCommands } from "../../../services/cli/payments/method.ts";
import { addPaymentCommands } from "../../../services/cli/payments/payment.ts";
import { addPaymentsCommand } from "../../../services/cli/payments/payments.ts";
import { addTopUpCommands } from "../../../services/cli/payments/top-up.ts";
import { addAddOnCommands } from "../../../services/cli/subscription/add-on.ts";
import { addSubscriptionCommands } from "../../../services/cli/subscription/subscription.ts";
import { addRateCommands } from "../../../services/cli/usage/rate.ts";
import { addWebhookCommands } from "../../../services/cli/webhooks/webhooks.ts";

/** The commands about accounts, prices and events, by their full names: "top-up make". */
export function commandNames(): string[] {
  const program = new Command("drawdown");
  for (const add of ADD) add(program);
  return program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [command.name()]
      : command.commands.map((one) => `${command.name()} ${one.name()}`),
  );
}

const ADD = [
  ...[addAccountCommands, addCatalogueCommands, addEntriesCommand, addExplainCommands],
  ...[addGrantCommand, addLotsCommand, addLotCommands, addDeadLetterCommands, addHoldCommands],
  ...[addKeyCommands, addTokenCommands],
  ...[addPaymentMethodCommands, addPaymentCommands, addPaymentsCommand, addTopUpCommands],
  ...[addAddOnCommands, addSubscriptionCommands, addRateCommands, addWebhookCommands],
  addBudgetCommands,
];
