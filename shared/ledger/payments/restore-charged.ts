import type { Instant } from "../../core/line/account.ts";
import { type RestoredTopUp, restoreTopUp } from "../../core/payments/restore-top-up.ts";
import { toAccountId } from "../../core/text/text.ts";
import { moveAccount, type UnknownAccount } from "../books/move-account.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";
import type { ChargeAtGateway } from "./charges-at-gateway.ts";
import { insertTopUps, lockPayment, type PaymentRef } from "./payments.ts";

/** Who requested a top-up is not known at the gateway. */
const BY = "gateway";

type RestoredCharge = RestoredTopUp | { readonly kind: "already_exists" };

const IN_FLIGHT = `
  SELECT EXISTS (SELECT FROM payment
                 WHERE account_id = $1 AND kind = 'top_up' AND status = 'pending') AS "inFlight"`;

/**
 * Stores the pending top-up of a charge at the gateway whose payment the books lack, in one transaction; the
 * charge settles it. It is stored once, however often and concurrently this runs.
 */
export async function restoreCharged(
  database: Database,
  charge: ChargeAtGateway,
  now: Instant,
): Promise<RestoredCharge | UnknownAccount> {
  const accountId = toAccountId(charge.accountId);
  const ref: PaymentRef = { accountId, paymentId: charge.paymentId };
  return moveAccount<RestoredCharge>(
    database,
    { accountId, now },
    async ({ book, catalogue }, transaction) => {
      if ((await lockPayment(transaction, ref)) !== null) {
        return { decision: { kind: "already_exists" }, step: null };
      }
      const inFlight = await isInFlight(transaction, ref);
      const decision = restoreTopUp(charge, { book, catalogue, inFlight });
      if (decision.kind !== "restored") return { decision, step: null };
      const { topUp, step } = decision;
      const at = { now, by: BY, createdAt: charge.createdAt };
      await insertTopUps(transaction, [{ accountId, topUp }], at);
      return { decision, step };
    },
  );
}

async function isInFlight(transaction: Transaction, { accountId }: PaymentRef): Promise<boolean> {
  const row = await queryRow<{ inFlight: boolean }>(transaction, IN_FLIGHT, [accountId]);
  return row?.inFlight === true;
}
