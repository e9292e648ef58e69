import type { AccountId, Instant } from "../../core/line/account.ts";
import {
  type AutoTopUp,
  type TopUpNotice,
  UNTOUCHED_AUTO_TOP_UP,
} from "../../core/payments/auto-top-up.ts";
import { putInOutbox } from "../outbox/outbox.ts";
import { topUpChangedRecord } from "../outbox/records.ts";
import {
  type Database,
  type Queryable,
  queryRow,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";
import { overwritten } from "../postgres/overwritten.ts";

const READ = `
  SELECT enabled, amount, limit_per_day AS "limitPerDay", limit_per_month AS "limitPerMonth",
         keep_after_subscription AS "keepAfterSubscription", most_amount AS "mostAmount",
         most_per_day AS "mostPerDay", most_per_month AS "mostPerMonth", declines,
         paused_until AS "pausedUntil", stopped, look_at AS "lookAt", told AS published
  FROM auto_top_up
  WHERE account_id = $1`;

/** An account's auto top-up; the defaults where there is none. */
export async function readAutoTopUp(database: Queryable, accountId: AccountId): Promise<AutoTopUp> {
  const row = await queryRow<Row>(database, READ, [accountId], "read-auto-top-up");
  if (row === null) return UNTOUCHED_AUTO_TOP_UP;
  const { mostAmount: amount, mostPerDay: perDay, mostPerMonth: perMonth, ...auto } = row;
  return { ...auto, ceilings: { amount, perDay, perMonth } };
}

type Row = Omit<AutoTopUp, "ceilings"> & Record<"mostAmount" | MostPer, bigint | null>;
type MostPer = "mostPerDay" | "mostPerMonth";

const COLUMNS = `
  enabled, amount, limit_per_day, limit_per_month, keep_after_subscription, most_amount, most_per_day,
  most_per_month, declines, paused_until, stopped, look_at, told`;

const WRITE = `
  INSERT INTO auto_top_up (account_id, ${COLUMNS})
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, to_timestamp($11::bigint / 1000.0), $12,
          to_timestamp($13::bigint / 1000.0), $14)
  ON CONFLICT (account_id) DO UPDATE
  SET ${overwritten(COLUMNS)}`;

const NOTE = `
  INSERT INTO top_up_notice (account_id, sequence, top_up_id, status, amount, currency, credits, reason,
                             changed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::bigint / 1000.0))`;

/**
 * Writes an account's auto top-up, and its notices to the books and the outbox. The caller has locked the
 * account.
 */
export async function writeAutoTopUp(
  transaction: Transaction,
  accountId: AccountId,
  after: {
    readonly auto: AutoTopUp;
    readonly notices: readonly TopUpNotice[];
    readonly now: Instant;
  },
): Promise<void> {
  const { auto, notices, now } = after;
  const { ceilings } = auto;
  const published = auto.published + BigInt(notices.length);
  const values = [
    ...[accountId, auto.enabled, auto.amount, auto.limitPerDay, auto.limitPerMonth],
    ...[auto.keepAfterSubscription, ceilings.amount, ceilings.perDay, ceilings.perMonth],
    ...[auto.declines, auto.pausedUntil, auto.stopped, auto.lookAt, published],
  ];
  await transaction.query({ name: "write-auto-top-up", text: WRITE, values });
  const numbered = notices.map((notice, index) => ({
    ...notice,
    sequence: auto.published + BigInt(index + 1),
  }));
  for (const { sequence, topUpId, status, amount, currency, credits, reason } of numbered) {
    const noted = [accountId, sequence, topUpId, status, amount, currency, credits, reason, now];
    await transaction.query({ name: "note-top-up", text: NOTE, values: noted });
  }
  await putInOutbox(
    transaction,
    numbered.map((notice) => topUpChangedRecord(accountId, notice, notice.sequence, now)),
  );
}

const DUE = `
  SELECT account_id AS "accountId"
  FROM auto_top_up
  WHERE look_at <= to_timestamp($1 / 1000.0)
  ORDER BY look_at
  LIMIT $2`;

/** Accounts whose auto top-up is due for another check, longest due first. */
export async function autoTopUpsToLookAt(
  database: Database,
  now: Instant,
  limit: number,
): Promise<AccountId[]> {
  const rows = await queryRows<{ accountId: AccountId }>(database, DUE, [now, limit]);
  return rows.map(({ accountId }) => accountId);
}
