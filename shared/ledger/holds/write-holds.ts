import type { HoldChanges } from "../../core/holds/decide-holds.ts";
import type { Hold } from "../../core/holds/hold.ts";
import type { Account, Instant } from "../../core/line/account.ts";
import { queueBalanceChanges } from "../outbox/balance-changes.ts";
import { type OutboxRecord, putFewInOutbox, putInOutbox } from "../outbox/outbox.ts";
import { holdChangedRecord } from "../outbox/records.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import type { Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";

/** What a locked account's holds become. */
export interface ChangedAccount extends HoldChanges {
  readonly account: Account;
}

/** What of it is written. */
interface Changes extends Pick<HoldChanges, "changes" | "held"> {
  readonly account: Pick<Account, "accountId" | "holdChanges">;
}

/** Writes changed holds, what their accounts hold, and the records to publish; all of it begins at once. */
export async function writeHolds(
  transaction: Transaction,
  changed: readonly ChangedAccount[],
  now: Instant,
): Promise<void> {
  const moved = changed.filter(isAnyChanged);
  if (moved.length === 0) return;
  await together([
    storeHolds(transaction, moved),
    updateHeld(transaction, moved),
    putFewInOutbox(transaction, recordsOf(moved, now)),
    queueBalanceChanges(
      transaction,
      moved.map(({ account }) => account),
    ),
  ]);
}

/**
 * Writes holds that usage was taken from, and the records to publish. What their accounts hold is written with
 * what they have drawn, and their new balances are published anyway.
 */
export async function writeUsedHolds(
  transaction: Transaction,
  changed: readonly Changes[],
  now: Instant,
): Promise<void> {
  const moved = changed.filter(isAnyChanged);
  if (moved.length === 0) return;
  await together([storeUsed(transaction, moved), putInOutbox(transaction, recordsOf(moved, now))]);
}

/** The same, and what their accounts hold. */
export async function writeUsedHoldsAndHeld(
  transaction: Transaction,
  changed: readonly Changes[],
  now: Instant,
): Promise<void> {
  await together([
    updateHeld(transaction, changed.filter(isAnyChanged)),
    writeUsedHolds(transaction, changed, now),
  ]);
}

function isAnyChanged({ changes }: Changes): boolean {
  return changes.length > 0;
}

function recordsOf(moved: readonly Changes[], now: Instant): OutboxRecord[] {
  return moved.flatMap(({ account, changes }) =>
    changes.map((hold, at) => holdChangedRecord(hold, account.holdChanges + BigInt(at) + 1n, now)),
  );
}

const STORE = `
  INSERT INTO hold (account_id, hold_id, request, asked, credits, used, captured, status, requested_by,
                    created_at, expires_at, ended_at, dimensions)
  SELECT account_id, hold_id, decode(request, 'hex'), asked, credits, used, captured, status, requested_by,
         to_timestamp(created_at / 1000), to_timestamp(expires_at / 1000), to_timestamp(ended_at / 1000),
         dimensions::jsonb
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::text[], $9::text[], $10::float8[], $11::float8[], $12::float8[], $13::text[])
    AS changed (account_id, hold_id, request, asked, credits, used, captured, status, requested_by,
                created_at, expires_at, ended_at, dimensions)
  ON CONFLICT (account_id, hold_id) DO UPDATE
  SET used = excluded.used,
      captured = excluded.captured,
      status = excluded.status,
      expires_at = excluded.expires_at,
      ended_at = excluded.ended_at`;

/** Each hold in its last state. */
async function storeHolds(transaction: Transaction, moved: readonly Changes[]): Promise<void> {
  const last = moved.flatMap(({ changes }) => [
    ...new Map(changes.map((hold): [string, Hold] => [hold.holdId, hold])).values(),
  ]);
  const rows = last.map((hold) => {
    return { ...hold, dimensions: hold.dimensions && JSON.stringify(hold.dimensions) };
  });
  const values = columnsOf(
    rows,
    ...(["accountId", "holdId", "request", "asked", "credits", "used", "captured"] as const),
    ...(["status", "requestedBy", "createdAt", "expiresAt", "endedAt", "dimensions"] as const),
  );
  await transaction.query({ name: "store-holds", text: STORE, values });
}

const USED = `
  UPDATE hold
  SET used = changed.used, status = changed.status, ended_at = to_timestamp(changed.ended_at / 1000)
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::float8[])
    AS changed (account_id, hold_id, used, status, ended_at)
  WHERE hold.account_id = changed.account_id AND hold.hold_id = changed.hold_id`;

/** What usage changes of holds, each of which has changed once: cheaper than to write all of them. */
async function storeUsed(transaction: Transaction, moved: readonly Changes[]): Promise<void> {
  const holds = moved.flatMap(({ changes }) => changes);
  const values = columnsOf(holds, "accountId", "holdId", "used", "status", "endedAt");
  const { rowCount } = await transaction.query({ name: "store-used-holds", text: USED, values });
  if (rowCount !== holds.length) throw new Error("a hold is gone while its account was locked");
}

const HELD = `
  UPDATE account
  SET held = changed.held, hold_changes = account.hold_changes + changed.changes
  FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS changed (account_id, held, changes)
  WHERE account.account_id = changed.account_id`;

async function updateHeld(transaction: Transaction, moved: readonly Changes[]): Promise<void> {
  if (moved.length === 0) return;
  const rows = moved.map(({ account: { accountId }, held, changes }) => ({
    ...{ accountId, held, changes: changes.length },
  }));
  const values = columnsOf(rows, "accountId", "held", "changes");
  const { rowCount } = await transaction.query({ name: "update-held", text: HELD, values });
  if (rowCount !== rows.length) throw new Error("an account is gone while its row was locked");
}
