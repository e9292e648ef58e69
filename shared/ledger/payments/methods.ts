import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import type { PaymentMethod } from "../../core/payments/attempt.ts";
import { USUAL_ATTEMPTS } from "../../core/payments/attempts-by-hand.ts";
import { startAgain } from "../../core/payments/auto-top-up.ts";
import { stopWithoutMethod } from "../../core/payments/end-auto-top-up.ts";
import { refuseOneMore } from "../books/attempts-by-hand.ts";
import { readAutoTopUp, writeAutoTopUp } from "../books/auto-top-ups.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { type Database, type Queryable, queryRow } from "../postgres/database.ts";
import { overwritten } from "../postgres/overwritten.ts";

/** The payment method of an account, who set it and when. */
export interface StoredMethod extends PaymentMethod {
  readonly setBy: string;
  readonly setAt: Instant;
}

const READ = `
  SELECT customer, method, set_by AS "setBy", set_at AS "setAt"
  FROM payment_method
  WHERE account_id = $1`;

/** The payment method of an account, or null. */
export async function readPaymentMethod(
  database: Queryable,
  accountId: AccountId,
): Promise<StoredMethod | null> {
  return queryRow<StoredMethod>(database, READ, [accountId]);
}

/** Who removed the last payment method, and when. */
export interface MethodRemoval {
  readonly removedBy: string;
  readonly removedAt: Instant;
}

const REMOVAL = `
  SELECT changed_by AS "removedBy", changed_at AS "removedAt"
  FROM payment_method_change
  WHERE account_id = $1 AND method IS NULL
  ORDER BY sequence DESC
  LIMIT 1`;

/** How an account pays, and without a payment method, who removed the last one; null: it never had one. */
export async function readMethodState(
  database: Queryable,
  accountId: AccountId,
): Promise<StoredMethod | MethodRemoval | null> {
  const stored = await readPaymentMethod(database, accountId);
  return stored ?? queryRow<MethodRemoval>(database, REMOVAL, [accountId]);
}

const SET = `
  INSERT INTO payment_method (account_id, customer, method, set_by, set_at)
  VALUES ($1, $2, $3, $4, to_timestamp($5 / 1000.0))
  ON CONFLICT (account_id) DO UPDATE
  SET ${overwritten("customer, method, set_by, set_at")}`;

/**
 * A new payment method is a reason to try declined and failed fees again, also those of an ended
 * subscription, since they are owed; not those whose credits never came (see `owedFees`).
 */
const TRY_FEES_AGAIN = `
  UPDATE payment
  SET next_try_at = to_timestamp($2 / 1000.0)
  FROM schedule
  WHERE payment.account_id = $1
    AND schedule.account_id = $1
    AND kind = 'fee'
    AND (status = 'retrying'
         OR (status = 'failed'
             AND (brings IS NULL
                  OR (schedule.plan_id IS NOT NULL AND subscription = subscriptions))))`;

const RECORD = `
  INSERT INTO payment_method_change (account_id, sequence, changed_at, changed_by, customer, method)
  SELECT $1, coalesce(max(sequence), 0) + 1, to_timestamp($2 / 1000.0), $3, $4, $5
  FROM payment_method_change
  WHERE account_id = $1
  RETURNING sequence`;

export type SetMethodOutcome = { readonly kind: "set" } | Refusal<"too_many_attempts">;

/**
 * Sets the payment method of an account; a charge in progress keeps its method. Since the customer has
 * acted, a paused or stopped auto top-up resumes, and declined fees are tried again: an attempt to pay,
 * of which an account has `most` in an hour.
 */
export async function setPaymentMethod(
  database: Database,
  { accountId, now, by }: RequestedBy,
  { customer, method }: PaymentMethod,
  most: number = USUAL_ATTEMPTS,
): Promise<SetMethodOutcome | UnknownAccount> {
  return moveAccount<SetMethodOutcome>(database, { accountId, now }, async (_, transaction) => {
    const refused = await refuseOneMore(transaction, { accountId, now, most });
    if (refused !== null) return { decision: refused, step: null };
    await transaction.query(SET, [accountId, customer, method, by, now]);
    await transaction.query(RECORD, [accountId, now, by, customer, method]);
    await transaction.query(TRY_FEES_AGAIN, [accountId, now]);
    const auto = startAgain(await readAutoTopUp(transaction, accountId), now);
    await writeAutoTopUp(transaction, accountId, { auto, notices: [], now });
    return { decision: { kind: "set" }, step: null };
  });
}

const REMOVE = "DELETE FROM payment_method WHERE account_id = $1";

/**
 * Removes the payment method of an account; without one, nothing changes. Auto top-up stops, unless it is
 * off; a charge that the gateway has keeps its method; what is charged later is declined for want of one.
 */
export async function removePaymentMethod(
  database: Database,
  { accountId, now, by }: RequestedBy,
): Promise<{ readonly kind: "removed" } | UnknownAccount> {
  return moveAccount(database, { accountId, now }, async (settled, transaction) => {
    const { rowCount } = await transaction.query(REMOVE, [accountId]);
    if (rowCount === 0) return { decision: { kind: "removed" }, step: null };
    const values = [accountId, now, by, null, null];
    const change = await queryRow<{ sequence: number }>(transaction, RECORD, values);
    if (change === null) throw new Error("an insert without a row");
    const auto = await readAutoTopUp(transaction, accountId);
    const stopped = stopWithoutMethod(auto, change, settled);
    if (stopped !== null) await writeAutoTopUp(transaction, accountId, { ...stopped, now });
    return { decision: { kind: "removed" }, step: null };
  });
}
