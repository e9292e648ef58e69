import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { refundFields, toRefund } from "../../../shared/contract/refund.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import {
  listRefunds,
  type Refund,
  requestRefund,
} from "../../../shared/ledger/payments/refunds.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { idArgument, moneyArgument } from "../shell/arguments.ts";
import { type ByOption, toRequest } from "../shell/change-command.ts";
import { printable } from "../shell/print.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";

export interface RefundOptions extends ByOption {
  readonly amount?: string;
  readonly key?: string;
}

/** Requests a refund; the top-up service sends it to the gateway. */
export async function refund(
  settings: Settings,
  account: string,
  payment: string,
  options: RefundOptions,
): Promise<Result> {
  const { accountId, by } = toRequest(account, options);
  const paymentId = idArgument("payment", payment);
  const refundId =
    options.key === undefined ? eventIds()(Date.now()) : idArgument("--key", options.key);
  const request = { accountId, paymentId, refundId, by };
  return withDatabase(settings, async (database) => {
    const details = await readAccountDetails(database, accountId);
    if (details === null) return noAccount(accountId);
    const { currency } = details;
    const amount = options.amount === undefined ? null : moneyArgument(options.amount, currency);
    const outcome = await orUnknown(
      requestRefund(database, { ...request, amount, now: Date.now() }),
      `the refund may or may not have been requested; run it again with --key ${refundId}, which cannot refund twice`,
    );
    switch (outcome.kind) {
      case "pending": {
        const refunds = await listRefunds(database, request);
        const made = refunds.find((refund) => refund.refundId === refundId);
        if (made === undefined) throw new Error(`refund ${refundId} of ${paymentId} is gone`);
        const text =
          `Refund ${printable(refundId)} of ${moneyText(outcome.amount, currency)} of payment ${printable(paymentId)} is pending.\n` +
          `To follow it: drawdown payment show ${printable(accountId)} ${printable(paymentId)}`;
        const value = { outcome: outcome.kind, accountId, currency, ...toRefund(made) };
        return shown(requestedRefund, value, text);
      }
      case "already_exists":
        return existing(accountId, currency, outcome.refund);
      default:
        return refused(outcome);
    }
  });
}

const requestedRefund = noun({
  outcome: z.enum(["pending", "already_exists"]),
  account_id: accountId,
  currency: z.string(),
  ...refundFields,
});

/** A refund that exists already; the command fails if the gateway refused it. */
function existing(accountId: AccountId, currency: string, refund: Refund): Result {
  const { refundId, status, amount, reason } = refund;
  return shown(
    requestedRefund,
    { outcome: "already_exists", accountId, currency, ...toRefund(refund) },
    `Refund ${printable(refundId)} of ${moneyText(amount, currency)} already exists and ${STATE[status]}; nothing more is refunded.`,
    status === "refused" ? printable(`refund ${refundId} was refused: ${reason}`) : null,
  );
}

const STATE: Readonly<Record<Refund["status"], string>> = {
  pending: "is pending",
  posted: "has been paid back",
  refused: "was refused",
};
