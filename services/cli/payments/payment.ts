import type { Command } from "commander";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import type { TopUp } from "../../../shared/core/payments/payment.ts";
import { findLot, readLosses, useOf } from "../../../shared/ledger/books/granted-lots.ts";
import { readPaymentAtGateway } from "../../../shared/ledger/payments/at-gateway.ts";
import { type PaymentRef, readPayment } from "../../../shared/ledger/payments/payments.ts";
import { listRefunds } from "../../../shared/ledger/payments/refunds.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, idArgument } from "../shell/arguments.ts";
import { addChangeCommand } from "../shell/change-command.ts";
import { readAccountBooks } from "../shell/read-books.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type JsonOption, run } from "../shell/run-command.ts";
import { type RefundOptions, refund } from "./refund.ts";
import { type ShownPayment, shownPayment, shownText, toShownPayment } from "./show-text.ts";

export function addPaymentCommands(program: Command): void {
  const payment = program.command("payment").description("show and refund payments");
  addCommand(payment, "show <account> <payment>", {
    does: "show a payment, the lot it bought, and its refunds",
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
    does: "refund a payment or a part of it; a top-up's credits are withdrawn, and auto top-up stops",
    examples: [
      "payment refund acme low-balance:1",
      "payment refund acme manual:order-17 --amount 5 --key ticket-4",
    ],
  })
    .option(
      "--amount <amount>",
      "how much, in its currency (default: all that is not refunded yet)",
    )
    .option(
      "--key <key>",
      "running the command again with the same key refunds once (default: a new key)",
    )
    .action((id: string, paymentId: string, options: RefundOptions) =>
      run(options, (settings) => refund(settings, id, paymentId, options)),
    );
}

function show(settings: Settings, ref: PaymentRef): Promise<Result> {
  return readAccountBooks(settings, ref.accountId, async (transaction, { account }) => {
    const payment = await readShown(transaction, ref, account.position);
    return payment === null
      ? refused({ kind: "unknown_payment", paymentId: ref.paymentId })
      : shown(shownPayment, toShownPayment(payment), shownText(payment));
  });
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
  return {
    lot,
    use: useOf(lot, { position, at: Date.now() }, await readLosses(transaction, accountId)),
  };
}
