import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { paymentFields, toPayment } from "../../../shared/contract/payment.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import type { TopUp } from "../../../shared/core/payments/payment.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { readPayment } from "../../../shared/ledger/payments/payments.ts";
import { topUpByHand } from "../../../shared/ledger/payments/top-up-account.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { byArgument, idArgument, moneyArgument } from "../shell/arguments.ts";
import { printable } from "../shell/print.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import type { JsonOption } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";

export interface TopUpMakeOptions extends JsonOption {
  readonly key?: string;
}

/** Requests a top-up by hand; the top-up service sends it to the gateway. */
export async function makeTopUp(
  settings: Settings,
  accountId: AccountId,
  text: string,
  options: TopUpMakeOptions,
): Promise<Result> {
  const key = options.key === undefined ? eventIds()(Date.now()) : keyArgument(options.key);
  const paymentId = REFERENCE.manualTopUp.write({ key });
  return withDatabase(settings, async (database) => {
    const details = await readAccountDetails(database, accountId);
    if (details === null) return noAccount(accountId);
    const amount = moneyArgument(text, details.currency);
    const at = { accountId, now: Date.now(), by: byArgument(undefined) };
    const outcome = await orUnknown(
      topUpByHand(database, at, { paymentId, amount }, settings.paymentAttemptsPerHour),
      `the top-up may or may not have been requested; run it again with --key ${key}, which cannot charge twice`,
    );
    switch (outcome.kind) {
      case "pending": {
        const made = await readPayment(database, { accountId, paymentId });
        if (made === null) throw new Error(`top-up ${paymentId} of ${accountId} is gone`);
        const { credits, currency } = outcome.topUp;
        const text =
          `Top-up ${printable(paymentId)} of ${moneyText(amount, currency)} for ${formatCredits(credits)} credits is pending.\n` +
          `To follow it: drawdown payment show ${printable(accountId)} ${printable(paymentId)}`;
        return shown(madeTopUp, { outcome: outcome.kind, key, ...toPayment(made) }, text);
      }
      case "already_exists":
        return existing(key, outcome.topUp);
      default:
        return refused(outcome);
    }
  });
}

/** The ids of the payment and of its lot contain the key, and must be valid too. */
function keyArgument(key: string): string {
  idArgument("--key", key);
  const paymentId = REFERENCE.manualTopUp.write({ key });
  idArgument("the lot id made from --key", REFERENCE.topUpLot.write({ paymentId }));
  return key;
}

const madeTopUp = noun({
  outcome: z.enum(["pending", "already_exists"]),
  account_id: accountId,
  key: z.string(),
  ...paymentFields,
});

/** A top-up that exists already; the command fails if it failed, as its key is never charged again. */
function existing(key: string, topUp: TopUp): Result {
  const { paymentId, status, reason } = topUp;
  return shown(
    madeTopUp,
    { outcome: "already_exists", key, ...toPayment(topUp) },
    `Top-up ${printable(paymentId)} already exists and ${STATE[status]}; nothing more is charged.`,
    status === "failed"
      ? printable(`top-up ${paymentId} failed: ${reason} To try again, use another --key`)
      : null,
  );
}

const STATE: Readonly<Record<TopUp["status"], string>> = {
  pending: "is pending",
  retrying: "is being retried",
  succeeded: "has succeeded",
  failed: "has failed",
  invoiced: "is invoiced elsewhere",
};
