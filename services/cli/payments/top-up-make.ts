import { z } from "zod";
import { eventIds } from "../../../shared/client/event-ids.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { paymentFields, toPayment } from "../../../shared/contract/payment.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { REFERENCE } from "../../../shared/core/line/reference.ts";
import type { NewTopUp, Payment, TopUp } from "../../../shared/core/payments/payment.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { moneyText } from "../../../shared/core/text/money.ts";
import { readAccountDetails } from "../../../shared/ledger/books/account-details.ts";
import { readPayment } from "../../../shared/ledger/payments/payments.ts";
import { topUpByHand } from "../../../shared/ledger/payments/top-up-account.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { idArgument, moneyArgument } from "../shell/arguments.ts";
import { printable } from "../shell/print.ts";
import { noAccount, PartUnavailable, type Result, refused, shown } from "../shell/result.ts";
import type { JsonOption } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

export interface TopUpMakeOptions extends JsonOption {
  readonly key?: string;
}

/** Whose top-up, and under which key. */
interface Asked {
  readonly accountId: AccountId;
  readonly key: string;
  readonly paymentId: string;
}

/** Asks for a top-up by hand; the top-up service takes it to the gateway. */
export async function makeTopUp(
  settings: Settings,
  accountId: AccountId,
  text: string,
  options: TopUpMakeOptions,
): Promise<Result> {
  const key = options.key === undefined ? eventIds()(Date.now()) : keyArgument(options.key);
  const asked = { accountId, key, paymentId: REFERENCE.manualTopUp.write({ key }) };
  return withDatabase(settings, async (database) => {
    const details = await readAccountDetails(database, accountId);
    if (details === null) return noAccount(accountId);
    const amount = moneyArgument(text, details.currency);
    const at = { accountId, now: Date.now() };
    const outcome = await topUpByHand(database, at, { paymentId: asked.paymentId, amount }).catch(
      (error: unknown) => {
        throw isDatabaseOutage(error) ? unknownOutcome(asked) : error;
      },
    );
    switch (outcome.kind) {
      case "pending":
        return shown(
          madeTopUp,
          { outcome: outcome.kind, key, ...toPayment(await readMade(database, asked)) },
          pendingText(asked, outcome.topUp),
        );
      case "already_exists":
        return standing(asked, outcome.topUp);
      default:
        return refused(outcome);
    }
  });
}

/** Its lot is named by it, and must be one that can be asked about. */
function keyArgument(key: string): string {
  idArgument("--key", key);
  const paymentId = REFERENCE.manualTopUp.write({ key });
  idArgument("the id of the lot that --key names", REFERENCE.topUpLot.write({ paymentId }));
  return key;
}

/** Lost during the commit, it may be asked for or not; its key makes asking again safe. */
function unknownOutcome({ key }: Asked): PartUnavailable {
  return new PartUnavailable(
    `the connection to Postgres was lost and the top-up may be asked for or not; ask for it again with --key ${key}, which cannot charge it twice`,
  );
}

const madeTopUp = noun({
  outcome: z.enum(["pending", "already_exists"]),
  account_id: accountId,
  key: z.string(),
  ...paymentFields,
});

async function readMade(database: Database, asked: Asked): Promise<Payment> {
  const made = await readPayment(database, asked);
  if (made === null) throw new Error(`top-up ${asked.paymentId} of ${asked.accountId} is gone`);
  return made;
}

function pendingText(asked: Asked, { amount, currency, credits }: NewTopUp): string {
  const { accountId, paymentId } = asked;
  return (
    `Top-up ${printable(paymentId)} of ${moneyText(amount, currency)} for ${formatCredits(credits)} credits is pending.\n` +
    `What comes of it: drawdown payment show ${printable(accountId)} ${printable(paymentId)}`
  );
}

/** One that failed was asked for in vain, and is said to be: under its key it is charged no more. */
function standing({ key }: Asked, topUp: TopUp): Result {
  const { paymentId, status, reason } = topUp;
  return shown(
    madeTopUp,
    { outcome: "already_exists", key, ...toPayment(topUp) },
    `Top-up ${printable(paymentId)} already exists and ${STANDING[status]}; nothing more is charged.`,
    status === "failed"
      ? printable(`top-up ${paymentId} failed: ${reason} Ask for another with another --key`)
      : null,
  );
}

const STANDING: Readonly<Record<TopUp["status"], string>> = {
  pending: "is pending",
  retrying: "is tried again",
  succeeded: "has succeeded",
  failed: "has failed",
};
