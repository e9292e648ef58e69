import type { Instant } from "../../core/line/account.ts";
import { type Database, type Queryable, queryRow } from "../postgres/database.ts";
import { SERVER_START } from "../postgres/server-start.ts";

const COMPARED = `
  SELECT coalesce(
    (SELECT compared_to FROM charge_check WHERE gateway = $1),
    (SELECT min(created_at) FROM account)) AS "to", ${SERVER_START} AS "on"`;

/** How far a gateway's charges were compared with these books. */
export interface ChargesCompared {
  /** If they never were, when the first account was made; null: there is no account. */
  readonly to: Instant | null;
  /** Which Postgres server said so, as `SERVER_START`. */
  readonly on: string;
}

/** Read before what is compared, so that it counts for the server that has been read. */
export async function chargesCompared(
  database: Database,
  gateway: string,
): Promise<ChargesCompared> {
  const row = await queryRow<ChargesCompared>(database, COMPARED, [gateway]);
  if (row === null) throw new Error("Postgres did not say how far charges were compared");
  return row;
}

const NOTE = `
  INSERT INTO charge_check
  SELECT $1, to_timestamp($2 / 1000.0) WHERE $3::text = ${SERVER_START}
  ON CONFLICT (gateway) DO UPDATE
  SET compared_to = greatest(charge_check.compared_to, excluded.compared_to)`;

/** Does nothing on another server than the one whose books were compared (`on`). */
export async function recordChargesCompared(
  database: Database,
  gateway: string,
  { to, on }: { readonly to: Instant; readonly on: string },
): Promise<void> {
  await database.query(NOTE, [gateway, to, on]);
}

const CHECKS = `
  SELECT (SELECT min(compared_to) FROM charge_check) AS "comparedTo",
         EXISTS (SELECT FROM payment WHERE gateway IS NOT NULL) AS "hasGatewayPayments"`;

/** How far charges are compared. */
export interface ChargeCheck {
  /** Null: they never were. */
  readonly comparedTo: Instant | null;
  /** False: no gateway was ever called for a payment of these books. */
  readonly hasGatewayPayments: boolean;
}

/** For metrics and `drawdown reconcile`. */
export async function readChargeCheck(transaction: Queryable): Promise<ChargeCheck> {
  const check = await queryRow<ChargeCheck>(transaction, CHECKS);
  return check ?? { comparedTo: null, hasGatewayPayments: false };
}
