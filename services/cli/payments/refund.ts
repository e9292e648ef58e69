import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { refundFields, toRefund } from "../../../shared/contract/refund.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import {
  listRefunds,
  type NewRefund,
  type Refund,
  requestRefund,
} from "../../../shared/ledger/payments/refunds.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { idArgument, moneyArgument } from "../shell/arguments.ts";
import { printable } from "../shell/print.ts";
import { noAccount, PartUnavailable, type Result, refused, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import { type ByOption, toAsked } from "../subscription/make-change.ts";

export interface RefundOptions extends ByOption {
  readonly amount?: string;
  readonly key?: string;
}

type Asked = Omit<NewRefund, "amount" | "now">;

/** Asks for money of a payment to go back; the top-up service takes it to the gateway. */
export async function refund(
  settings: Settings,
  account: string,
  payment: string,
  options: RefundOptions,
): Promise<Result> {
  const { accountId, by } = toAsked(account, options);
  const paymentId = idArgument("payment", payment);
  const refundId =
    options.key === undefined ? eventIds()(Date.now()) : idArgument("--key", options.key);
  const asked: Asked = { accountId, paymentId, refundId, by };
  return withDatabase(settings, async (database) => {
    const details = await readAccountDetails(database, accountId);
    if (details === null) return noAccount(accountId);
    const { currency } = details;
    const amount = options.amount === undefined ? null : moneyArgument(options.amount, currency);
    const outcome = await requestRefund(database, { ...asked, amount, now: Date.now() }).catch(
      (error: unknown) => {
        throw isDatabaseOutage(error) ? unknownOutcome(asked) : error;
      },
    );
    switch (outcome.kind) {
      case "pending": {
        const refunds = await listRefunds(database, asked);
        const made = refunds.find((one) => one.refundId === refundId);
        if (made === undefined) throw new Error(`refund ${refundId} of ${paymentId} is gone`);
        const text =
          `Refund ${printable(refundId)} of ${moneyText(outcome.amount, currency)} of payment ${printable(paymentId)} is pending.\n` +
          `What comes of it: drawdown payment show ${printable(accountId)} ${printable(paymentId)}`;
        const value = { outcome: outcome.kind, accountId, currency, ...toRefund(made) };
        return shown(askedRefund, value, text);
      }
      case "already_exists":
        return standing(asked, currency, outcome.refund);
      default:
        return refused(outcome);
    }
  });
}

/** Lost during the commit, it may be asked for or not; its id makes asking again safe. */
function unknownOutcome({ refundId }: Asked): PartUnavailable {
  return new PartUnavailable(
    `the connection to Postgres was lost and the refund may be asked for or not; ask for it again with --key ${refundId}, which cannot send money back twice`,
  );
}

const askedRefund = noun({
  outcome: z.enum(["pending", "already_exists"]),
  account_id: accountId,
  currency: z.string(),
  ...refundFields,
});

/** One that the gateway refused was asked for in vain, and is said to be. */
function standing({ accountId }: Asked, currency: string, standing: Refund): Result {
  const { refundId, status, amount, reason } = standing;
  return shown(
    askedRefund,
    { outcome: "already_exists", accountId, currency, ...toRefund(standing) },
    `Refund ${printable(refundId)} of ${moneyText(amount, currency)} already exists and ${STANDING[status]}; nothing more goes back.`,
    status === "refused" ? printable(`refund ${refundId} was refused: ${reason}`) : null,
  );
}

const STANDING: Readonly<Record<Refund["status"], string>> = {
  pending: "is pending",
  posted: "has gone back",
  refused: "was refused",
};
