import type { Command } from "commander";
import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import {
  paymentMethod,
  paymentMethodFields,
  toPaymentMethod,
} from "../../../shared/contract/payment-method.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { PaymentMethod } from "../../../shared/core/payments/attempt.ts";
import { gatewayIdProblem } from "../../../shared/core/text/card-number.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import {
  type MethodRemoval,
  readMethodState,
  removePaymentMethod,
  type StoredMethod,
  setPaymentMethod,
} from "../../../shared/ledger/payments/methods.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import {
  addChangeCommand,
  type ByOption,
  type ChangeRequest,
  toRequest,
} from "../shell/change-command.ts";
import { fields, printable } from "../shell/print.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, refused, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, forAccount, run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";

interface SetOptions extends ByOption {
  readonly customer: string;
  readonly method: string;
}

export function addPaymentMethodCommands(program: Command): void {
  const method = program
    .command("payment-method")
    .description("set, remove and show accounts' payment methods, by the payment gateway's ids");
  addChangeCommand(method, "set <account>", {
    does: "set an account's payment method; declined payments and stopped auto top-up are tried again",
    examples: [
      "payment-method set acme --customer cus_9s6XKzkNRiz8i3 --method pm_1NirD82eZvKYlo2C",
    ],
  })
    .requiredOption("--customer <id>", "the gateway's id of the customer")
    .requiredOption("--method <id>", "the gateway's id of the saved card; never a card's number")
    .action((id: string, options: SetOptions) =>
      run(options, (settings) => set(settings, toRequest(id, options), toMethod(options))),
    );
  addChangeCommand(method, "remove <account>", {
    does: "remove an account's payment method; auto top-up stops, and later fees are declined until another is set",
    examples: ["payment-method remove acme --by anna"],
  }).action((id: string, options: ByOption) =>
    run(options, (settings) => remove(settings, toRequest(id, options))),
  );
  addCommand(method, "show <account>", {
    does: "show an account's payment method, and who set or removed it",
    examples: ["payment-method show acme"],
  }).action(forAccount(show));
}

function toMethod({ customer, method }: SetOptions): PaymentMethod {
  return {
    customer: gatewayIdArgument("--customer", customer),
    method: gatewayIdArgument("--method", method),
  };
}

function gatewayIdArgument(name: string, text: string): string {
  const problem = gatewayIdProblem(name, text);
  if (problem !== null) throw new WrongUsage(problem);
  return text;
}

const setMethod = noun({ outcome: z.literal("set"), ...paymentMethodFields });

async function set(
  settings: Settings,
  request: ChangeRequest,
  method: PaymentMethod,
): Promise<Result> {
  const { accountId: id, by } = request;
  const now = Date.now();
  const outcome = await withDatabase(settings, (database) =>
    orUnknown(
      setPaymentMethod(database, { ...request, now }, method, settings.paymentAttemptsPerHour),
      "the payment method may or may not have been set; run it again, which charges nothing twice",
    ),
  );
  if (outcome.kind !== "set") return refused(outcome);
  return shown(
    setMethod,
    {
      outcome: outcome.kind,
      ...toPaymentMethod(id, { ...method, setBy: by, setAt: now }),
    },
    `${printable(id)} pays with ${printable(method.method)} of ${printable(method.customer)} from now on.\n` +
      "Auto top-up starts again if it was paused or stopped, and declined fees are tried again.",
  );
}

const removedMethod = noun({ outcome: z.literal("removed"), ...paymentMethodFields });

async function remove(settings: Settings, request: ChangeRequest): Promise<Result> {
  const { accountId: id } = request;
  return withDatabase(settings, async (database) => {
    const outcome = await orUnknown(
      removePaymentMethod(database, { ...request, now: Date.now() }),
      "the payment method may or may not have been removed; run it again",
    );
    if (outcome.kind !== "removed") return refused(outcome);
    return shown(
      removedMethod,
      { outcome: outcome.kind, ...toPaymentMethod(id, await readMethodState(database, id)) },
      `${printable(id)} has no payment method now.\n` +
        "Auto top-up stops, and later fees are declined, until another is set. What the gateway has saved stays there.",
    );
  });
}

function show(settings: Settings, id: AccountId): Promise<Result> {
  return readAccountBooks(settings, id, async (transaction) => {
    const stored = await readMethodState(transaction, id);
    const isSet = stored !== null && "method" in stored;
    const text = isSet ? methodText(id, stored) : noMethodText(id, stored);
    return shown(paymentMethod, toPaymentMethod(id, stored), text);
  });
}

function noMethodText(id: AccountId, removal: MethodRemoval | null): string {
  const removed =
    removal === null
      ? ""
      : ` (${removal.removedBy} removed it at ${formatInstant(removal.removedAt)})`;
  return printable(
    `Account ${id} has no payment method${removed}; set one with drawdown payment-method set.`,
  );
}

function methodText(id: AccountId, stored: StoredMethod): string {
  return fields([
    ["account", id],
    ["customer", stored.customer],
    ["method", stored.method],
    ["set by", stored.setBy],
    ["set", formatInstant(stored.setAt)],
  ]);
}
