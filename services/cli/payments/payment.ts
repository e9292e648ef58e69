import type { Command } from "commander";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import type { TopUp } from "../../../shared/core/payments/payment.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { findLot, readLosses, useOf } from "../../../shared/ledger/books/granted-lots.ts";
import { readPaymentAtGateway } from "../../../shared/ledger/payments/at-gateway.ts";
import { type PaymentRef, readPayment } from "../../../shared/ledger/payments/payments.ts";
import { listRefunds } from "../../../shared/ledger/payments/refunds.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, idArgument } from "../shell/arguments.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { addChangeCommand } from "../subscription/make-change.ts";
import { type RefundOptions, refund } from "./refund.ts";
import { type ShownPayment, shownPayment, shownText, toShownPayment } from "./show-text.ts";

export function addPaymentCommands(program: Command): void {
  const payment = program.command("payment").description("show a payment, and send it back");
  addCommand(payment, "show <account> <payment>", {
    does: "show a payment, the lot that it brought, and what of it went back",
    examples: ["payment show acme low-balance:1", "payment show acme fee:1:0"],
  }).action((id: string, paymentId: string, options: JsonOption) =>
    run(options, (settings) =>
      show(settings, {
        accountId: accountIdArgument(id),
        paymentId: idArgument("payment", paymentId),
      }),
    ),
  );
  addChangeCommand(payment, "refund <account> <payment>", {
    does: "send a payment back, or a part of it; a top-up's credits go with it, and auto top-up stops",
    examples: [
      "payment refund acme low-balance:1",
      "payment refund acme manual:order-17 --amount 5 --key ticket-4",
    ],
  })
    .option("--amount <amount>", "how much, in its currency (default: all that has not gone back)")
    .option("--key <key>", "asked for again under it, it goes back once (default: a new one)")
    .action((id: string, paymentId: string, options: RefundOptions) =>
      run(options, (settings) => refund(settings, id, paymentId, options)),
    );
}

async function show(settings: Settings, ref: PaymentRef): Promise<Result> {
  const { accountId, paymentId } = ref;
  return withDatabase(settings, (database) =>
    readSnapshot(database, async (transaction) => {
      const details = await readAccountDetails(transaction, accountId);
      if (details === null) return noAccount(accountId);
      const read = await readShown(transaction, ref, details.account.position);
      return read === null
        ? refused({ kind: "unknown_payment", paymentId })
        : shown(shownPayment, toShownPayment(read), shownText(read));
    }),
  );
}

async function readShown(
  transaction: Transaction,
  ref: PaymentRef,
  position: bigint,
): Promise<ShownPayment | null> {
  const payment = await readPayment(transaction, ref);
  const atGateway = await readPaymentAtGateway(transaction, ref);
  if (payment === null || atGateway === null) return null;
  const refunds = await listRefunds(transaction, ref);
  const lot = payment.kind === "top_up" ? await readLot(transaction, payment, position) : null;
  return { payment, atGateway, refunds, lot };
}

async function readLot(
  transaction: Transaction,
  topUp: TopUp,
  position: bigint,
): Promise<ShownPayment["lot"]> {
  const { accountId } = topUp;
  const lot = await findLot(transaction, accountId, REFERENCE.topUpLot.write(topUp));
  if (lot === null) return null;
  return { lot, use: useOf(lot, position, await readLosses(transaction, accountId)) };
}
