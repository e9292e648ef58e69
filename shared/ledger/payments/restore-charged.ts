import type { Instant } from "../../core/line/account.ts";
import { type RestoredTopUp, restoreTopUp } from "../../core/payments/restore-top-up.ts";
import { toAccountId } from "../../core/text/text.ts";
import { moveAccount, type UnknownAccount } from "../books/move-account.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";
import { lockRestorable, type UnmatchedCharge } from "./charges-at-gateway.ts";
import { insertTopUps, lockPayment, type PaymentRef } from "./payments.ts";

/** Who requested a top-up is not known at the gateway. */
const BY = "gateway";

/** `settled`: its payment is there, or the charge is matched, refunded, or left to people. */
type RestoredCharge = RestoredTopUp | { readonly kind: "settled" };

const IN_FLIGHT = `
  SELECT EXISTS (SELECT FROM payment
                 WHERE account_id = $1 AND kind = 'top_up' AND status = 'pending') AS "inFlight"`;

/**
 * Stores the pending top-up of a charge at the gateway whose payment the books lack, in one transaction: as one that
 * was sent, so that whoever claims it asks about the charge, and none is made. It is stored once, however often and concurrently this runs.
 */
export async function restoreCharged(
  database: Database,
  charge: UnmatchedCharge,
  now: Instant,
): Promise<RestoredCharge | UnknownAccount> {
  const accountId = toAccountId(charge.accountId);
  const ref: PaymentRef = { accountId, paymentId: charge.paymentId };
  return moveAccount<RestoredCharge>(
    database,
    { accountId, now },
    async ({ book, catalogue }, transaction) => {
      if (
        !(await lockRestorable(transaction, charge)) ||
        (await lockPayment(transaction, ref)) !== null
      ) {
        return { decision: { kind: "settled" }, step: null };
      }
      const inFlight = await isInFlight(transaction, ref);
      const decision = restoreTopUp(charge, { book, catalogue, inFlight });
      if (decision.kind !== "restored") return { decision, step: null };
      const { topUp, step } = decision;
      await insertTopUps(transaction, [{ accountId, topUp }], { now, by: BY, charge });
      return { decision, step };
    },
  );
}

async function isInFlight(transaction: Transaction, { accountId }: PaymentRef): Promise<boolean> {
  const row = await queryRow<{ inFlight: boolean }>(transaction, IN_FLIGHT, [accountId]);
  return row?.inFlight === true;
}
