import type { Account, Entry, Instant } from "../core/account.ts";
import { bigintArray, textArray } from "./array-literal.ts";
import type { Transaction } from "./database.ts";

const POST = `
  INSERT INTO entry (account_id, sequence, kind, credits, granted, position, version, lot_id,
                     reference, due_at, posted_at)
  SELECT account_id, sequence, kind, credits, granted, position, version, lot_id, reference,
         to_timestamp(due_at / 1000.0), to_timestamp($11 / 1000.0)
  FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[], $8::text[], $9::text[], $10::bigint[])
    AS posted (account_id, sequence, kind, credits, granted, position, version, lot_id, reference,
               due_at)`;

/**
 * Posts entries. `accounts` are those they belong to, as read: an entry carries the version that
 * this transaction gives its account.
 */
export async function postEntries(
  transaction: Transaction,
  entries: readonly Entry[],
  accounts: readonly Account[],
  postedAt: Instant,
): Promise<void> {
  if (entries.length === 0) return;
  const versions = new Map(accounts.map((account) => [account.accountId, account.version + 1n]));
  await transaction.query(POST, [
    textArray(entries.map((entry) => entry.accountId)),
    bigintArray(entries.map((entry) => entry.sequence)),
    textArray(entries.map((entry) => entry.kind)),
    bigintArray(entries.map((entry) => entry.credits)),
    bigintArray(entries.map((entry) => entry.granted)),
    bigintArray(entries.map((entry) => entry.position)),
    bigintArray(entries.map((entry) => versions.get(entry.accountId) ?? null)),
    textArray(entries.map((entry) => entry.lotId)),
    textArray(entries.map((entry) => entry.reference)),
    bigintArray(entries.map((entry) => entry.dueAt)),
    postedAt,
  ]);
}
