import type { Instant } from "../../core/line/account.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import type { Database, Transaction } from "../postgres/database.ts";

/** A charge that has taken money at the gateway, or is about to. */
export interface ChargeAtGateway {
  /** What the gateway was told; the books need not have either. */
  readonly accountId: string;
  readonly paymentId: string;
  readonly gatewayPayment: string;
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  /** When it was made at the gateway. */
  readonly createdAt: Instant;
}

/** Why a charge is not what its payment in the books says. */
export type ChargeProblem = "no_payment" | "not_paid" | "paid_by_another" | "other_amount";

/** A charge that the books tell nothing of, or something else. */
export interface UnmatchedCharge extends ChargeAtGateway {
  readonly problem: ChargeProblem;
  readonly gateway: string;
}

/**
 * What is wrong with a charge; null: nothing. A payment is in the books before it is charged, and one
 * that is pending is asked about until the gateway's answer is posted.
 */
const PROBLEM = `
  CASE
    WHEN payment.account_id IS NULL THEN 'no_payment'
    WHEN payment.status NOT IN ('pending', 'succeeded') THEN 'not_paid'
    WHEN payment.gateway_payment <> charge.gateway_payment
      OR (payment.status = 'succeeded' AND payment.gateway_payment IS NULL) THEN 'paid_by_another'
    WHEN payment.amount <> charge.amount OR payment.currency <> charge.currency THEN 'other_amount'
  END`;

const FIND = `
  SELECT at::integer, (extract(epoch FROM account.created_at) * 1000)::bigint
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
    WITH ORDINALITY AS charge (account_id, payment_id, gateway_payment, amount, currency, at)
  LEFT JOIN payment USING (account_id, payment_id)
  LEFT JOIN account ON account.account_id = charge.account_id
  WHERE ${PROBLEM} IS NOT NULL`;

/**
 * Those of the charges that are not as a payment of the books says, each with when its account was
 * created; null: there is no such account here.
 */
export async function findUnmatched<T extends ChargeAtGateway>(
  database: Database,
  charges: readonly T[],
): Promise<{ readonly charge: T; readonly accountCreatedAt: Instant | null }[]> {
  const { rows } = await database.query<[number, string | null]>({
    text: FIND,
    values: [
      textArray(charges.map(({ accountId }) => accountId)),
      textArray(charges.map(({ paymentId }) => paymentId)),
      textArray(charges.map(({ gatewayPayment }) => gatewayPayment)),
      bigintArray(charges.map(({ amount }) => amount)),
      textArray(charges.map(({ currency }) => currency)),
    ],
    rowMode: "array",
  });
  return rows.flatMap(([at, created]) => {
    const charge = charges[at - 1];
    const accountCreatedAt = created === null ? null : Number(created);
    return charge === undefined ? [] : [{ charge, accountCreatedAt }];
  });
}

const KEEP = `
  INSERT INTO unmatched_charge (gateway, gateway_payment, account_id, payment_id, amount, currency, charged_at)
  VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7 / 1000.0))
  ON CONFLICT DO NOTHING`;

/** Keeps a charge as one that does not match, until it does or its money went back. */
export async function keepUnmatched(
  database: Database,
  gateway: string,
  { gatewayPayment, accountId, paymentId, amount, currency, createdAt }: ChargeAtGateway,
): Promise<void> {
  const values = [gateway, gatewayPayment, accountId, paymentId, amount, currency, createdAt];
  await database.query(KEEP, values);
}

const FORGET_MATCHED = `
  DELETE FROM unmatched_charge AS charge
  WHERE gateway = $1
    AND EXISTS (SELECT FROM payment
                WHERE payment.account_id = charge.account_id
                  AND payment.payment_id = charge.payment_id
                  AND ${PROBLEM} IS NULL)`;

/** Forgets those that match by now. */
export async function forgetMatched(database: Database, gateway: string): Promise<void> {
  await database.query(FORGET_MATCHED, [gateway]);
}

const FORGET = "DELETE FROM unmatched_charge WHERE gateway = $1 AND gateway_payment = $2";

export async function forgetUnmatched(
  database: Database,
  gateway: string,
  { gatewayPayment }: ChargeAtGateway,
): Promise<void> {
  await database.query(FORGET, [gateway, gatewayPayment]);
}

const LIST = `
  SELECT charge.account_id, charge.payment_id, charge.gateway_payment, charge.amount, charge.currency,
         (extract(epoch FROM charged_at) * 1000)::bigint, ${PROBLEM}, charge.gateway
  FROM unmatched_charge AS charge
  LEFT JOIN payment USING (account_id, payment_id)
  WHERE ($1::text IS NULL OR charge.account_id = $1)
    AND ${PROBLEM} IS NOT NULL
  ORDER BY charged_at, charge.gateway_payment`;

type Row = [string, string, string, string, string, string, ChargeProblem, string];

/** The charges that are not as the books say, of one account or all, oldest first. */
export async function listUnmatched(
  database: Database | Transaction,
  accountId: string | null,
): Promise<UnmatchedCharge[]> {
  const { rows } = await database.query<Row>({ text: LIST, values: [accountId], rowMode: "array" });
  return rows.map(
    ([account, paymentId, gatewayPayment, amount, currency, charged, problem, gateway]) => ({
      ...{ accountId: account, paymentId, gatewayPayment, currency, problem, gateway },
      ...{ amount: BigInt(amount), createdAt: Number(charged) },
    }),
  );
}

const COMPARED = `
  SELECT (extract(epoch FROM coalesce(
           (SELECT compared_to FROM charge_check WHERE gateway = $1),
           (SELECT min(created_at) FROM account))) * 1000)::bigint`;

/** Up to when a gateway's charges were compared; when its first account was made, if never; null: no account. */
export async function chargesComparedTo(
  database: Database,
  gateway: string,
): Promise<Instant | null> {
  const { rows } = await database.query<[string | null]>({
    text: COMPARED,
    values: [gateway],
    rowMode: "array",
  });
  const [compared] = rows[0] ?? [null];
  return compared === null ? null : Number(compared);
}

const NOTE = `
  INSERT INTO charge_check VALUES ($1, to_timestamp($2 / 1000.0))
  ON CONFLICT (gateway) DO UPDATE
  SET compared_to = greatest(charge_check.compared_to, excluded.compared_to)`;

export async function noteChargesCompared(
  database: Database,
  gateway: string,
  to: Instant,
): Promise<void> {
  await database.query(NOTE, [gateway, to]);
}

const CHECKS = `
  SELECT (SELECT (extract(epoch FROM min(compared_to)) * 1000)::bigint FROM charge_check),
         EXISTS (SELECT FROM payment WHERE gateway IS NOT NULL)`;

/** How far charges are compared. */
export interface ChargeCheck {
  /** Null: they never were. */
  readonly comparedTo: Instant | null;
  /** False: no gateway was ever called for a payment of these books. */
  readonly isPaidFor: boolean;
}

export async function readChargeCheck(transaction: Transaction): Promise<ChargeCheck> {
  const { rows } = await transaction.query<[string | null, boolean]>({
    text: CHECKS,
    rowMode: "array",
  });
  const [comparedTo, isPaidFor] = rows[0] ?? [null, false];
  return { comparedTo: comparedTo === null ? null : Number(comparedTo), isPaidFor };
}
