import type { Instant } from "../../core/line/account.ts";
import { type ChargeProblem, problemOf } from "../../core/payments/match-charge.ts";
import type { PaymentStatus } from "../../core/payments/payment.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import {
  type Database,
  type Queryable,
  queryRow,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";

/** A charge at the gateway that has succeeded or is in progress. */
export interface ChargeAtGateway {
  /** As the gateway has them; the books may have neither. */
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
  /** Its top-up comes back by itself; false: people decide. */
  readonly restorable: boolean;
}

/** The payment that a charge names, if it is there. */
const OF_PAYMENT = `
  payment.status, payment.gateway_payment AS "paidBy", payment.amount AS paid,
  payment.currency AS "paidIn", payment.calls`;

interface PaymentColumns {
  readonly status: PaymentStatus | null;
  readonly paidBy: string | null;
  readonly paid: bigint;
  readonly paidIn: string;
  readonly calls: number;
}

function problemIn(
  charge: ChargeAtGateway,
  { status, paidBy, paid, paidIn, calls }: PaymentColumns,
): ChargeProblem | null {
  const payment = { gatewayPayment: paidBy, amount: paid, currency: paidIn, calls };
  return problemOf(charge, status && { status, ...payment });
}

const FIND = `
  SELECT ${OF_PAYMENT}, account.created_at AS "accountCreatedAt"
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS charge (account_id, payment_id, at)
  LEFT JOIN payment USING (account_id, payment_id)
  LEFT JOIN account ON account.account_id = charge.account_id
  ORDER BY at`;

/** The charges that do not match a payment in the books, with the creation of their account; null: unknown. */
export async function findUnmatched<T extends ChargeAtGateway>(
  database: Database,
  charges: readonly T[],
): Promise<{ readonly charge: T; readonly accountCreatedAt: Instant | null }[]> {
  type Row = PaymentColumns & { accountCreatedAt: Instant | null };
  const rows = await queryRows<Row>(database, FIND, columnsOf(charges, "accountId", "paymentId"));
  return rows.flatMap(({ accountCreatedAt, ...payment }, at) => {
    const charge = charges[at];
    if (charge === undefined || problemIn(charge, payment) === null) return [];
    return [{ charge, accountCreatedAt }];
  });
}

const KEEP = `
  INSERT INTO unmatched_charge (gateway, gateway_payment, account_id, payment_id, amount, currency, charged_at,
                                restorable)
  VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7 / 1000.0), true)
  ON CONFLICT DO NOTHING`;

/** Stores a charge that does not match, until it does or is refunded. One that is stored stays as it was. */
export async function keepUnmatched(
  database: Database,
  gateway: string,
  { gatewayPayment, accountId, paymentId, amount, currency, createdAt }: ChargeAtGateway,
): Promise<void> {
  const values = [gateway, gatewayPayment, accountId, paymentId, amount, currency, createdAt];
  await database.query(KEEP, values);
}

const FORGET = "DELETE FROM unmatched_charge WHERE gateway = $1 AND gateway_payment = $2";

/** Deletes a stored charge: it matches, or its money went back. */
export async function forgetUnmatched(
  database: Database,
  gateway: string,
  { gatewayPayment }: ChargeAtGateway,
): Promise<void> {
  await database.query(FORGET, [gateway, gatewayPayment]);
}

const LEAVE =
  "UPDATE unmatched_charge SET restorable = false WHERE gateway = $1 AND gateway_payment = $2";

/** From now on people decide about a charge. */
export async function leaveToPeople(
  database: Database,
  { gateway, gatewayPayment }: Pick<UnmatchedCharge, "gateway" | "gatewayPayment">,
): Promise<void> {
  await database.query(LEAVE, [gateway, gatewayPayment]);
}

const LOCK_RESTORABLE = `
  SELECT FROM unmatched_charge
  WHERE gateway = $1 AND gateway_payment = $2 AND restorable
  FOR UPDATE`;

/** Whether a charge still waits to come back; if so, it stays as it is until the transaction ends. */
export async function lockRestorable(
  transaction: Transaction,
  { gateway, gatewayPayment }: Pick<UnmatchedCharge, "gateway" | "gatewayPayment">,
): Promise<boolean> {
  return (await queryRow(transaction, LOCK_RESTORABLE, [gateway, gatewayPayment])) !== null;
}

const LIST = `
  SELECT charge.account_id AS "accountId", charge.payment_id AS "paymentId",
         charge.gateway_payment AS "gatewayPayment", charge.amount, charge.currency,
         charged_at AS "createdAt", charge.gateway, restorable, ${OF_PAYMENT}
  FROM unmatched_charge AS charge
  LEFT JOIN payment USING (account_id, payment_id)
  WHERE ($1::text IS NULL OR charge.account_id = $1)
  ORDER BY charged_at, charge.gateway_payment`;

/** The stored charges of one account or all, oldest first; `problem` null: it matches by now. */
async function readKept(database: Queryable, accountId: string | null) {
  type Row = Omit<UnmatchedCharge, "problem"> & PaymentColumns;
  const rows = await queryRows<Row>(database, LIST, [accountId]);
  return rows.map(({ status, paidBy, paid, paidIn, calls, ...charge }) => {
    return { ...charge, problem: problemIn(charge, { status, paidBy, paid, paidIn, calls }) };
  });
}

/** The charges that do not match the books, of one account or all, oldest first. */
export async function listUnmatched(
  database: Queryable,
  accountId: string | null,
): Promise<UnmatchedCharge[]> {
  const kept = await readKept(database, accountId);
  return kept.flatMap(({ problem, ...charge }) =>
    problem === null ? [] : [{ ...charge, problem }],
  );
}

/** Deletes the stored charges that match by now. */
export async function forgetMatched(database: Database, gateway: string): Promise<void> {
  for (const charge of await readKept(database, null)) {
    if (charge.problem === null && charge.gateway === gateway) {
      await forgetUnmatched(database, gateway, charge);
    }
  }
}
