import type { Instant } from "../../core/line/account.ts";
import { type ChargeProblem, problemOf } from "../../core/payments/match-charge.ts";
import type { PaymentStatus } from "../../core/payments/payment.ts";
import { textArray } from "../postgres/array-literal.ts";
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

/** A charge that is missing from the books, or different in them. */
export interface UnmatchedCharge extends ChargeAtGateway {
  readonly problem: ChargeProblem;
  readonly gateway: string;
}

const OF_PAYMENT = "payment.status, payment.gateway_payment, payment.amount, payment.currency";

type PaymentColumns = [
  status: PaymentStatus | null,
  gatewayPayment: string | null,
  amount: string | null,
  currency: string | null,
];

function problemIn(
  charge: ChargeAtGateway,
  [status, gatewayPayment, amount, currency]: PaymentColumns,
): ChargeProblem | null {
  const isThere = status !== null && amount !== null && currency !== null;
  const payment = isThere ? { status, gatewayPayment, amount: BigInt(amount), currency } : null;
  return problemOf(charge, payment);
}

const FIND = `
  SELECT ${OF_PAYMENT}, (extract(epoch FROM account.created_at) * 1000)::bigint
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS charge (account_id, payment_id, at)
  LEFT JOIN payment USING (account_id, payment_id)
  LEFT JOIN account ON account.account_id = charge.account_id
  ORDER BY at`;

/**
 * Those of the charges that are not as a payment of the books says, each with when its account was
 * created; null: there is no such account here.
 */
export async function findUnmatched<T extends ChargeAtGateway>(
  database: Database,
  charges: readonly T[],
): Promise<{ readonly charge: T; readonly accountCreatedAt: Instant | null }[]> {
  const { rows } = await database.query<[...PaymentColumns, string | null]>({
    text: FIND,
    values: [
      textArray(charges.map(({ accountId }) => accountId)),
      textArray(charges.map(({ paymentId }) => paymentId)),
    ],
    rowMode: "array",
  });
  return rows.flatMap(([status, paidBy, amount, currency, created], at) => {
    const charge = charges[at];
    if (charge === undefined) return [];
    if (problemIn(charge, [status, paidBy, amount, currency]) === null) return [];
    return [{ charge, accountCreatedAt: created === null ? null : Number(created) }];
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
         (extract(epoch FROM charged_at) * 1000)::bigint, charge.gateway, ${OF_PAYMENT}
  FROM unmatched_charge AS charge
  LEFT JOIN payment USING (account_id, payment_id)
  WHERE ($1::text IS NULL OR charge.account_id = $1)
  ORDER BY charged_at, charge.gateway_payment`;

type Row = [string, string, string, string, string, string, string, ...PaymentColumns];

/** The charges that were kept, of one account or all, oldest first; `problem` null: it matches by now. */
async function readKept(database: Database | Transaction, accountId: string | null) {
  const { rows } = await database.query<Row>({ text: LIST, values: [accountId], rowMode: "array" });
  return rows.map((row) => {
    const [account, paymentId, gatewayPayment, amount, currency, charged, gateway, ...paid] = row;
    const charge = {
      ...{ accountId: account, paymentId, gatewayPayment, currency, gateway },
      ...{ amount: BigInt(amount), createdAt: Number(charged) },
    };
    return { ...charge, problem: problemIn(charge, paid) };
  });
}

/** The charges that are not as the books say, of one account or all, oldest first. */
export async function listUnmatched(
  database: Database | Transaction,
  accountId: string | null,
): Promise<UnmatchedCharge[]> {
  const kept = await readKept(database, accountId);
  return kept.flatMap(({ problem, ...charge }) =>
    problem === null ? [] : [{ ...charge, problem }],
  );
}

/** Forgets those that match by now. */
export async function forgetMatched(database: Database, gateway: string): Promise<void> {
  for (const charge of await readKept(database, null)) {
    if (charge.problem === null && charge.gateway === gateway) {
      await forgetUnmatched(database, gateway, charge);
    }
  }
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
