import type { Account } from "../../core/line/account.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import { DIVISION_BY_ZERO, sqlState, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";

/** Accounts by id, as a transaction has read them. */
export type AccountsRead = ReadonlyMap<string, Account>;

/** What usage alone leaves as it was. */
const REST = [
  "granted",
  "crossings",
  "waitingCrossing",
  "entries",
  "lowBalance",
  "nextDueAt",
  "settleAt",
  "expiredUntil",
] as const satisfies readonly (keyof Account)[];

// Quotes in an array would need escapes. No JSON has the separator. Source: RFC 7464.
const SEPARATOR = "\x1e";
const SPENT = "string_to_array($2, E'\\x1e', '')::json[]";

// Another version divides by zero. So the transaction fails at once, and what was sent behind the statement
// is not executed: it could wait for the other writer of the account, who may wait for another account here.
const UNMOVED = "1 / (account.version = moved.version)::integer = 1";

const DRAW = `
  UPDATE account
  SET position = moved.position, version = account.version + 1, spent = moved.spent
  FROM unnest($1::text[], ${SPENT}, $3::bigint[], $4::bigint[])
    AS moved (account_id, spent, version, position)
  WHERE account.account_id = moved.account_id
    AND ${UNMOVED}`;

// Dividing a bigint by 1000.0 would be a division of decimals.
const UPDATE = (raisedBy: 0 | 1) => `
  UPDATE account
  SET position = moved.position,
      version = account.version + ${raisedBy},
      spent = moved.spent,
      granted = moved.granted,
      crossings = moved.crossings,
      waiting_crossing = moved.waiting_crossing,
      entries = moved.entries,
      low_balance = moved.low_balance,
      next_due_at = to_timestamp(moved.next_due_at / 1000),
      settle_at = to_timestamp(moved.settle_at / 1000),
      expired_until = to_timestamp(moved.expired_until / 1000)
  FROM unnest($1::text[], ${SPENT}, $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::bigint[], $9::boolean[], $10::float8[], $11::float8[], $12::float8[])
    AS moved (account_id, spent, version, position, granted, crossings, waiting_crossing, entries,
              low_balance, next_due_at, settle_at, expired_until)
  WHERE account.account_id = moved.account_id
    AND ${UNMOVED}`;

const WHOLE = { name: "update-accounts", text: UPDATE(1), rest: REST };
const DRAWN = { name: "draw-accounts", text: DRAW, rest: [] };
const AFTER_DRAWING = { name: "update-drawn-accounts", text: UPDATE(0), rest: REST };

/**
 * Writes the new state of accounts by compare-and-set on their version, in id order so that writers do
 * not deadlock. False: at least one had moved meanwhile, and the transaction has failed; roll back and run
 * again.
 *
 * Where accounts have only drawn since they were `read`, a cheaper statement draws on all, which locks
 * them in order, and another one writes the rest of those that have more to write.
 */
export async function updateAccounts(
  transaction: Transaction,
  accounts: readonly Account[],
  read: AccountsRead = new Map(),
): Promise<boolean> {
  const sorted = [...accounts].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  const others = sorted.filter((account) => !hasOnlyDrawn(account, read.get(account.accountId)));
  const drawn = others.map((account) => ({ ...account, version: account.version + 1n }));
  const updates =
    others.length === sorted.length
      ? [update(transaction, WHOLE, sorted)]
      : [update(transaction, DRAWN, sorted), update(transaction, AFTER_DRAWING, drawn)];
  try {
    return (await together(updates)).every(Boolean);
  } catch (error) {
    if (sqlState(error) === DIVISION_BY_ZERO) return false;
    throw error;
  }
}

function hasOnlyDrawn(account: Account, read: Account | undefined): boolean {
  return read !== undefined && REST.every((column) => account[column] === read[column]);
}

async function update(
  transaction: Transaction,
  { name, text, rest }: typeof WHOLE | typeof DRAWN,
  accounts: readonly Account[],
): Promise<boolean> {
  if (accounts.length === 0) return true;
  const numbers = ["version", "position", ...rest] as const;
  const { rowCount } = await transaction.query({
    name,
    text,
    values: [
      textArray(accounts.map(({ accountId }) => accountId)),
      accounts.map(({ spent }) => spent ?? "").join(SEPARATOR),
      ...numbers.map((column) => bigintArray(accounts.map((account) => account[column]))),
    ],
  });
  return rowCount === accounts.length;
}
