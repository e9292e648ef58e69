import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Account } from "../../../shared/core/line/account.ts";
import { lockAccounts, readAccounts } from "../../../shared/ledger/books/read-accounts.ts";
import { updateAccounts } from "../../../shared/ledger/books/update-accounts.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";

/** An update of what drawing leaves as it was fails for accounts named like this. */
const ONLY_DRAW = "only-draw";

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await books.database.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'more than drawn';
    END
    $$;
    CREATE TRIGGER refuse BEFORE UPDATE OF granted ON account FOR EACH ROW
    WHEN (new.account_id LIKE '${ONLY_DRAW}%') EXECUTE FUNCTION refuse()`);
});

afterAll(() => books?.close());

const CHANGED = {
  granted: 900n,
  crossings: 3n,
  waitingCrossing: 2n,
  entries: 7n,
  lowBalance: true,
  nextDueAt: 1_790_000_000_123,
  settleAt: 1_790_000_900_007,
  expiredUntil: 1_780_000_000_999,
};

test("accounts that only drew get what they drew, and nothing else is written", async () => {
  await open(`${ONLY_DRAW}-1`, `${ONLY_DRAW}-2`);
  const { before, after } = await drawing(`${ONLY_DRAW}-1`, `${ONLY_DRAW}-2`);
  expect(await update(after, before)).toEqual([]);
  expect(await stateOf(after)).toEqual(raised(after));
});

test("those of a batch that changed in other ways too are written whole, and raised once", async () => {
  await open(`${ONLY_DRAW}-3`, "changed-1", "changed-2");
  const { before, after } = await drawing("changed-1", `${ONLY_DRAW}-3`, "changed-2");
  const changed = after.map((account) =>
    account.accountId.startsWith("changed") ? { ...account, ...CHANGED } : account,
  );
  expect(await update(changed, before)).toEqual([]);
  expect(await stateOf(changed)).toEqual(raised(changed));
});

test.each(Object.entries(CHANGED))("a change of %s is written", async (column, value) => {
  await open(`of-${column}`);
  const { before, after } = await drawing(`of-${column}`);
  const changed = after.map((account) => ({ ...account, [column]: value }));
  expect(await update(changed, before)).toEqual([]);
  expect(await stateOf(changed)).toEqual(raised(changed));
});

test("each account gets its own spend, whatever its meters are named, and one that has none gets none", async () => {
  const spends = [
    null,
    `[0, ["a \\"b\\" \\\\ {c}, \\u001e", 1, 5, 5]]`,
    null,
    "[0,\n []]",
    '[0, ["", 1, 2, 3]]',
  ];
  const names = spends.map((_, index) => `spending-${index}`);
  await open(...names);
  const { before, after } = await drawing(...names);
  const spent = after.map((account) => ({
    ...account,
    spent: spends[names.indexOf(account.accountId)] ?? null,
  }));
  expect(await update(spent, before)).toEqual([]);
  expect(await stateOf(spent)).toEqual(raised(spent));
});

test("an account alone that has no spend gets none", async () => {
  await open("not-spending");
  const { before, after } = await drawing("not-spending");
  const spent = after.map((account) => ({ ...account, spent: null }));
  expect(await update(spent, before)).toEqual([]);
  expect(await stateOf(spent)).toEqual(raised(spent));
});

test("accounts that were not read before are written whole", async () => {
  await open("unread-1", "unread-2");
  const { after } = await drawing("unread-1", "unread-2");
  const changed = after.map((account) => ({ ...account, ...CHANGED }));
  expect(await update(changed, undefined)).toEqual([]);
  expect(await stateOf(changed)).toEqual(raised(changed));
});

test.each([
  ["that only drew", {}],
  ["with other changes", CHANGED],
])("an account %s, and that moved meanwhile, fails the batch", async (_, changes) => {
  const name = `overtaken-${Object.keys(changes).length}`;
  await open(name, `beside-${name}`);
  const { before, after } = await drawing(name, `beside-${name}`);
  await books.database.query("UPDATE account SET version = version + 1 WHERE account_id = $1", [
    name,
  ]);
  const changed = after.map((account) =>
    account.accountId === name ? { ...account, ...changes } : account,
  );
  expect(await update(changed, before)).toBeNull();
});

test("once an account had moved, the transaction waits for no other writer of it", async () => {
  await open("first", "second");
  const { before, after } = await drawing("first", "second");
  const changed = after.map((account) =>
    account.accountId === "first" ? { ...account, ...CHANGED } : account,
  );
  await books.database.query("UPDATE account SET version = version + 1 WHERE account_id = 'first'");
  await inTransaction(books.database, async (other) => {
    await lockAccounts(other, ["first"]);
    // Waiting would be out of order: `second` is locked by then, which the other writer may want next.
    const outcome = update(changed, before);
    expect(await Promise.race([outcome, sleep(2_000, "waits")])).toBeNull();
  });
});

test.each([
  ["that only drew", {}],
  ["with other changes", CHANGED],
])("accounts %s are locked in id order, in whatever order they come", async (_, changes) => {
  const [first, last] =
    Object.keys(changes).length === 0 ? ["drew-a", "drew-b"] : ["all-a", "all-b"];
  await open(first, last);
  const { before, after } = await drawing(first, last);
  const changed = after
    .map((account) => ({ ...account, ...changes }))
    .toSorted((a, b) => (a.accountId > b.accountId ? -1 : 1));
  await inTransaction(books.database, async (other) => {
    await lockAccounts(other, [last]);
    const outcome = update(changed, before);
    await eventually("the update waits for the last account", isOneWaiting);
    expect(await isFree(first)).toBe(false);
    await other.query("ROLLBACK");
    expect(await outcome).toEqual([]);
  });
});

async function isOneWaiting(): Promise<boolean> {
  const { rowCount } = await books.database.query(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE account%'`,
  );
  return rowCount === 1;
}

/** True while no transaction has locked the account. */
async function isFree(name: string): Promise<boolean> {
  const { rowCount } = await books.database.query(
    "SELECT FROM account WHERE account_id = $1 FOR UPDATE SKIP LOCKED",
    [name],
  );
  return rowCount === 1;
}

async function open(...names: string[]): Promise<void> {
  for (const name of names) await openAccount(books, name);
}

/** The accounts as they are, and as they are once each has drawn. */
async function drawing(...names: string[]) {
  const before = await readAccounts(books.database, names);
  const after = [...before.values()].map((account) => ({
    ...account,
    position: account.position + 5n,
    spent: '[0, ["call", 1, 5, 5]]',
  }));
  return { before, after };
}

function update(accounts: readonly Account[], read?: ReadonlyMap<string, Account>) {
  return inTransaction(books.database, (transaction) =>
    updateAccounts(transaction, accounts, read),
  );
}

async function stateOf(accounts: readonly Account[]): Promise<Account[]> {
  const read = await readAccounts(
    books.database,
    accounts.map(({ accountId }) => accountId),
  );
  return accounts.flatMap(({ accountId }) => read.get(accountId) ?? []);
}

function raised(accounts: readonly Account[]): Account[] {
  return accounts.map((account) => ({ ...account, version: account.version + 1n }));
}
