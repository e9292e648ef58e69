import type { AccountId, Instant } from "../../core/line/account.ts";
import {
  type AutoTopUp,
  type TopUpNotice,
  UNTOUCHED_AUTO_TOP_UP,
} from "../../core/payments/auto-top-up.ts";
import { raiseTopUpAlerts } from "../alerts/top-up-alerts.ts";
import { putInOutbox } from "../outbox/outbox.ts";
import { topUpChangedRecord } from "../outbox/records.ts";
import { columnsOf, textArray } from "../postgres/array-literal.ts";
import {
  type Database,
  type Queryable,
  queryRows,
  type Transaction,
} from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";
import { overwritten } from "../postgres/overwritten.ts";
import { together } from "../postgres/together.ts";

const READ = `
  SELECT account_id AS "accountId", enabled, amount, limit_per_day AS "limitPerDay",
         limit_per_month AS "limitPerMonth", keep_after_subscription AS "keepAfterSubscription",
         most_amount AS "mostAmount", most_per_day AS "mostPerDay", most_per_month AS "mostPerMonth",
         declines, paused_until AS "pausedUntil", stopped, look_at AS "lookAt", told AS published
  FROM auto_top_up
  WHERE account_id = ANY($1::text[])`;

/** An account's auto top-up; the defaults where there is none. */
export async function readAutoTopUp(database: Queryable, accountId: AccountId): Promise<AutoTopUp> {
  return (await readAutoTopUps(database, [accountId]))(accountId);
}

/** The auto top-ups of accounts, by account; the defaults where there is none. */
export async function readAutoTopUps(
  database: Queryable,
  accountIds: readonly AccountId[],
): Promise<(accountId: AccountId) => AutoTopUp> {
  if (accountIds.length === 0) return () => UNTOUCHED_AUTO_TOP_UP;
  const values = [textArray(accountIds)];
  const rows = await queryRows<Row>(database, READ, values, "read-auto-top-ups");
  const found = new Map(rows.map((row) => [row.accountId, toAutoTopUp(row)]));
  return (accountId) => found.get(accountId) ?? UNTOUCHED_AUTO_TOP_UP;
}

function toAutoTopUp({ accountId: _, mostAmount, mostPerDay, mostPerMonth, ...auto }: Row) {
  return { ...auto, ceilings: { amount: mostAmount, perDay: mostPerDay, perMonth: mostPerMonth } };
}

type Row = Omit<AutoTopUp, "ceilings"> & { readonly accountId: AccountId } & Record<
    "mostAmount" | MostPer,
    bigint | null
  >;
type MostPer = "mostPerDay" | "mostPerMonth";

const COLUMNS = `
  enabled, amount, limit_per_day, limit_per_month, keep_after_subscription, most_amount, most_per_day,
  most_per_month, declines, paused_until, stopped, look_at, told`;

const WRITE = `
  INSERT INTO auto_top_up (account_id, ${COLUMNS})
  SELECT account_id, enabled, amount, limit_per_day, limit_per_month, keep_after_subscription,
         most_amount, most_per_day, most_per_month, declines, to_timestamp(paused_until / 1000.0),
         stopped, to_timestamp(look_at / 1000.0), told
  FROM unnest($1::text[], $2::boolean[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[],
              $7::bigint[], $8::bigint[], $9::bigint[], $10::integer[], $11::bigint[], $12::text[],
              $13::bigint[], $14::bigint[])
    AS written (account_id, ${COLUMNS})
  ON CONFLICT (account_id) DO UPDATE
  SET ${overwritten(COLUMNS)}`;

/** An account's auto top-up after a change, with the notices to publish. */
export interface ChangedAutoTopUp {
  readonly accountId: AccountId;
  /** With the number of notices published before. */
  readonly auto: AutoTopUp;
  readonly notices: readonly TopUpNotice[];
}

/** The same as `writeAutoTopUps`, of one account. */
export async function writeAutoTopUp(
  transaction: Transaction,
  accountId: AccountId,
  { now, ...after }: Omit<ChangedAutoTopUp, "accountId"> & { readonly now: Instant },
): Promise<void> {
  await writeAutoTopUps(transaction, [{ accountId, ...after }], now);
}

/**
 * Writes accounts' auto top-ups, and their notices to the books and the outbox. The caller has locked
 * the accounts.
 */
export async function writeAutoTopUps(
  transaction: Transaction,
  changed: readonly ChangedAutoTopUp[],
  now: Instant,
): Promise<void> {
  if (changed.length === 0) return;
  const values = columnsOf(
    changed.map(toWritten),
    ...(["accountId", "enabled", "amount", "limitPerDay", "limitPerMonth"] as const),
    ...(["keepAfterSubscription", "mostAmount", "mostPerDay", "mostPerMonth"] as const),
    ...(["declines", "pausedUntil", "stopped", "lookAt", "published"] as const),
  );
  const notices = changed.flatMap(numbered);
  await together([
    transaction.query({ name: "write-auto-top-ups", text: WRITE, values }),
    publishNotices(transaction, notices, now),
  ]);
  await raiseTopUpAlerts(transaction, notices, now);
}

function toWritten({ accountId, auto: { ceilings, ...auto }, notices }: ChangedAutoTopUp) {
  return {
    ...{ ...auto, accountId, published: auto.published + BigInt(notices.length) },
    ...{ mostAmount: ceilings.amount, mostPerDay: ceilings.perDay },
    mostPerMonth: ceilings.perMonth,
  };
}

interface NumberedNotice {
  readonly accountId: AccountId;
  readonly sequence: bigint;
  readonly notice: TopUpNotice;
}

function numbered({ accountId, auto, notices }: ChangedAutoTopUp): NumberedNotice[] {
  return notices.map((notice, index) => ({
    ...{ accountId, notice },
    sequence: auto.published + BigInt(index + 1),
  }));
}

const INTO_NOTICES = {
  table: "top_up_notice",
  columns: "account_id, sequence, top_up_id, status, amount, currency, credits, reason, changed_at",
};

async function publishNotices(
  transaction: Transaction,
  notices: readonly NumberedNotice[],
  now: Instant,
): Promise<void> {
  const stored = insertRows(transaction, INTO_NOTICES, notices, (rows, each) => {
    const { accountId, sequence, notice } = each;
    rows.text(accountId);
    rows.int8(sequence);
    rows.text(notice.topUpId);
    rows.text(notice.status);
    rows.int8(notice.amount);
    rows.text(notice.currency);
    rows.int8(notice.credits);
    rows.text(notice.reason);
    rows.timestamptz(now);
  });
  const records = notices.map(({ accountId, sequence, notice }) =>
    topUpChangedRecord(accountId, notice, sequence, now),
  );
  await together([stored, putInOutbox(transaction, records)]);
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
  const rows = await queryRows<{ accountId: AccountId }>(
    database,
    DUE,
    [now, limit],
    "due-auto-top-ups",
  );
  return rows.map(({ accountId }) => accountId);
}
