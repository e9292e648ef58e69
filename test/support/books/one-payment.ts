import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import type { AutoTopUpDecision } from "../../../shared/core/payments/decide-top-up.ts";
import type { Payment } from "../../../shared/core/payments/payment.ts";
import type { UnknownAccount } from "../../../shared/ledger/books/move-account.ts";
import type { PaymentOutcome } from "../../../shared/ledger/payments/open-attempt.ts";
import { type SettledPayment, settlePayments } from "../../../shared/ledger/payments/settle.ts";
import { topUpIfLow as topUpAllIfLow } from "../../../shared/ledger/payments/top-up-account.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";

/** Sets of one: one account or one payment in a transaction of its own. */
export async function topUpIfLow(
  database: Database,
  { accountId, now }: { readonly accountId: AccountId; readonly now: Instant },
): Promise<AutoTopUpDecision | UnknownAccount> {
  const decisions = await topUpAllIfLow(database, [accountId], now);
  return decisions.get(accountId) ?? { kind: "unknown_account", accountId };
}

export async function settlePayment(
  database: Database,
  payment: Payment,
  outcome: PaymentOutcome,
  now: Instant,
): Promise<SettledPayment | UnknownAccount> {
  const { accountId } = payment;
  const settled = await settlePayments(database, [{ payment, outcome }], now);
  return settled.get(accountId) ?? { kind: "unknown_account", accountId };
}
