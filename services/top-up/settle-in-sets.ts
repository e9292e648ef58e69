import type { UnknownAccount } from "../../shared/ledger/books/move-account.ts";
import {
  type AttemptOutcome,
  type SettledPayment,
  settlePayments,
} from "../../shared/ledger/payments/settle.ts";
import { MOST_IN_A_SET, workInSets } from "../../shared/ledger/postgres/work-in-sets.ts";
import type { PaymentContext } from "./payment-context.ts";

/** Posts the outcome of a payment's attempt; many payments share a transaction. */
export type Settle = (outcome: AttemptOutcome) => Promise<SettledPayment | UnknownAccount>;

export function settlingInSets({
  database,
  now,
}: Pick<PaymentContext, "database" | "now">): Settle {
  return workInSets({
    most: MOST_IN_A_SET,
    keyOf: ({ payment }) => payment.accountId,
    async work(outcomes) {
      const settled = await settlePayments(database, outcomes, now());
      return ({ payment: { accountId } }) =>
        settled.get(accountId) ?? { kind: "unknown_account", accountId };
    },
  });
}
