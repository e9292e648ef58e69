import type { Account } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { bigintArray, columnsOf, textArray } from "../postgres/array-literal.ts";
import { DIVISION_BY_ZERO, queryRow, sqlState, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";

/** Accounts by id, as a transaction has read them. */
export type AccountsRead = ReadonlyMap<string, Account>;

/** What usage takes from the holds of an account. */
export interface HeldAfter {
  /** What all its open holds set aside afterwards. */
  readonly held: MicroCredits;
  /** The number of holds that change. */
  readonly changes: number;
}

/** By account. */
export type HoldsTaken = ReadonlyMap<string, HeldAfter>;

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

const AS_READ = "account.hold_changes = moved.hold_changes";

// Holds change without a new version. One statement, because a second version of each row costs as much again.
const DRAW_HELD = `
  WITH drawn AS (
    UPDATE account
    SET position = moved.position, version = account.version + 1, spent = moved.spent,
        held = CASE WHEN ${AS_READ} THEN moved.held ELSE account.held END,
        hold_changes = account.hold_changes + CASE WHEN ${AS_READ} THEN moved.changes ELSE 0 END
    FROM unnest($1::text[], ${SPENT}, $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
      AS moved (account_id, spent, version, position, hold_changes, held, changes)
    WHERE account.account_id = moved.account_id
      AND ${UNMOVED}
    RETURNING account.account_id, old.hold_changes <> moved.hold_changes AS is_other
  )
  SELECT count(*)::integer AS drawn,
         coalesce(array_agg(account_id) FILTER (WHERE is_other), '{}') AS others
  FROM drawn`;

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
 * not deadlock. Null: at least one had moved meanwhile, and the transaction has failed; roll back and run
 * again. Else the accounts whose holds have changed since they were `read`: of these, `taken` is not written.
 *
 * Where accounts have only drawn since they were `read`, a cheaper statement draws on all, which locks
 * them in order, and another one writes the rest of those that have more to write.
 */
export async function updateAccounts(
  transaction: Transaction,
  accounts: readonly Account[],
  read: AccountsRead = new Map(),
  taken: HoldsTaken = new Map(),
): Promise<readonly string[] | null> {
  const sorted = [...accounts].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  const others = sorted.filter((account) => !hasOnlyDrawn(account, read.get(account.accountId)));
  const drawn = others.map((account) => ({ ...account, version: account.version + 1n }));
  const updates =
    taken.size === 0 && others.length === sorted.length
      ? [update(transaction, WHOLE, sorted)]
      : [
          taken.size === 0
            ? update(transaction, DRAWN, sorted)
            : drawHeld(transaction, sorted, { read, taken }),
          update(transaction, AFTER_DRAWING, drawn),
        ];
  try {
    const written = await together(updates);
    return written.every((otherHolds) => otherHolds !== null) ? written.flat() : null;
  } catch (error) {
    if (sqlState(error) === DIVISION_BY_ZERO) return null;
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
): Promise<[] | null> {
  if (accounts.length === 0) return [];
  const numbers = ["version", "position", ...rest] as const;
  const { rowCount } = await transaction.query({
    name,
    text,
    values: [
      ...idsAndSpent(accounts),
      ...numbers.map((column) => bigintArray(accounts.map((account) => account[column]))),
    ],
  });
  return rowCount === accounts.length ? [] : null;
}

async function drawHeld(
  transaction: Transaction,
  accounts: readonly Account[],
  { read, taken }: { readonly read: AccountsRead; readonly taken: HoldsTaken },
): Promise<readonly string[] | null> {
  const holds = accounts.map((account) => {
    const { held, holdChanges } = read.get(account.accountId) ?? account;
    return { holdChanges, ...(taken.get(account.accountId) ?? { held, changes: 0 }) };
  });
  const values = [
    ...idsAndSpent(accounts),
    ...columnsOf(accounts, "version", "position"),
    ...columnsOf(holds, "holdChanges", "held", "changes"),
  ];
  type Drawn = { readonly drawn: number; readonly others: readonly string[] };
  const written = await queryRow<Drawn>(transaction, DRAW_HELD, values, "draw-held-accounts");
  return written?.drawn === accounts.length ? written.others : null;
}

function idsAndSpent(accounts: readonly Account[]): [string, string] {
  return [
    textArray(accounts.map(({ accountId }) => accountId)),
    accounts.map(({ spent }) => spent ?? "").join(SEPARATOR),
  ];
}
