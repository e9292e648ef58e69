import type { Command } from "commander";
import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { accountId, instant } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import type { PaymentMethod } from "../../../shared/core/payments/attempt.ts";
import { looksLikeCardNumber } from "../../../shared/core/text/card-number.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import {
  readPaymentMethod,
  type StoredMethod,
  setPaymentMethod,
} from "../../../shared/ledger/payments/methods.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, idArgument } from "../shell/arguments.ts";
import { fields, printable } from "../shell/print.ts";
import { noAccount, PartUnavailable, type Result, shown, WrongUsage } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import {
  type Asked,
  addChangeCommand,
  type ByOption,
  toAsked,
} from "../subscription/make-change.ts";

interface SetOptions extends ByOption {
  readonly customer: string;
  readonly method: string;
}

export function addPaymentMethodCommands(program: Command): void {
  const method = program
    .command("payment-method")
    .description("set and show what accounts pay with, by the payment gateway's ids");
  addChangeCommand(method, "set <account>", {
    does: "set what an account pays with from now on; what was declined or had stopped is tried again",
    examples: [
      "payment-method set acme --customer cus_9s6XKzkNRiz8i3 --method pm_1NirD82eZvKYlo2C",
    ],
  })
    .requiredOption("--customer <id>", "the gateway's id of who pays")
    .requiredOption("--method <id>", "the gateway's id of the saved card; never a card's number")
    .action((id: string, options: SetOptions) =>
      run(options, (settings) => set(settings, toAsked(id, options), toMethod(options))),
    );
  addCommand(method, "show <account>", {
    does: "show what an account pays with, and who has set it",
    examples: ["payment-method show acme"],
  }).action((id: string, options: JsonOption) =>
    run(options, (settings) => show(settings, accountIdArgument(id))),
  );
}

function toMethod({ customer, method }: SetOptions): PaymentMethod {
  return {
    customer: gatewayIdArgument("--customer", customer),
    method: gatewayIdArgument("--method", method),
  };
}

/** What looks like a card's number is not repeated, so that no log keeps it. */
function gatewayIdArgument(name: string, text: string): string {
  if (looksLikeCardNumber(text)) {
    throw new WrongUsage(
      `${name} looks like the number of a card, which is never kept; give the payment gateway's id instead`,
    );
  }
  return idArgument(name, text);
}

const shownFields = {
  account_id: accountId,
  payment_method: noun({
    set: z.boolean(),
    customer: z.string().nullable(),
    method: z.string().nullable(),
    set_by: z.string().nullable(),
    set_at: instant.nullable(),
  }),
};

const shownMethod = noun(shownFields);
const setMethod = noun({ outcome: z.literal("set"), ...shownFields });

const NO_METHOD = { customer: null, method: null, setBy: null, setAt: null };

function toShown(id: AccountId, stored: StoredMethod | null) {
  return { accountId: id, paymentMethod: { set: stored !== null, ...(stored ?? NO_METHOD) } };
}

async function set(settings: Settings, asked: Asked, method: PaymentMethod): Promise<Result> {
  const { accountId: id, by } = asked;
  const now = Date.now();
  const outcome = await withDatabase(settings, (database) =>
    setPaymentMethod(database, { ...asked, now }, method).catch((error: unknown) => {
      throw isDatabaseOutage(error) ? unknownOutcome() : error;
    }),
  );
  switch (outcome.kind) {
    case "set":
      return shown(
        setMethod,
        { outcome: outcome.kind, ...toShown(id, { ...method, setBy: by, setAt: now }) },
        `${printable(id)} pays with ${printable(method.method)} of ${printable(method.customer)} from now on.\n` +
          "Auto top-up starts again where it was paused or stopped, and declined fees are tried again.",
      );
    case "unknown_account":
      return noAccount(id);
  }
}

function unknownOutcome(): PartUnavailable {
  return new PartUnavailable(
    "the connection to Postgres was lost and the payment method may be set or not; set it again, which charges nothing twice",
  );
}

async function show(settings: Settings, id: AccountId): Promise<Result> {
  const read = await withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      if ((await readAccountDetails(transaction, id)) === null) return "no account";
      return readPaymentMethod(transaction, id);
    }),
  );
  if (read === "no account") return noAccount(id);
  return shown(shownMethod, toShown(id, read), methodText(read));

  function methodText(stored: StoredMethod | null): string {
    if (stored === null) {
      return `Account ${printable(id)} has no payment method; set it with payment-method set.`;
    }
    return fields([
      ["account", id],
      ["customer", stored.customer],
      ["method", stored.method],
      ["set by", stored.setBy],
      ["set", formatInstant(stored.setAt)],
    ]);
  }
}
