import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { lockAccounts, readAccounts } from "../../../shared/ledger/books/read-accounts.ts";
import { updateAccounts } from "../../../shared/ledger/books/update-accounts.ts";
import type { HoldAsked, HoldOutcome } from "../../../shared/ledger/holds/change-holds.ts";
import { endExpiredHolds } from "../../../shared/ledger/holds/end-expired-holds.ts";
import { gatherRequests } from "../../../shared/ledger/holds/gather-requests.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { type Books, connect, openAccount, openBooks } from "../../support/books/books.ts";
import { setBudgetOf } from "../../support/books/budgets.ts";
import { askedHold, changeHold, TEN_MINUTES } from "../../support/books/holds.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { usageBatches } from "../../support/books/usage-batches.ts";
import { zoneAtNoon } from "../../support/books/zone-at-noon.ts";
import { toldOf } from "./naive-holds.ts";

/** Holds in real books: what is set aside is set aside once, and back in time. */
const CREDIT = 1_000_000n;
const MINUTE = 60_000;
/** Over before the holds of other tests. */
const SHORT = { ttlMs: 1_000 };

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await openCatalogue(books);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

afterAll(() => books?.close());

async function accountOf(id: string) {
  const account = (await readAccounts(books.database, [id])).get(id);
  if (account === undefined) throw new Error(`there is no account ${id}`);
  return account;
}

const openWith = (id: string, credits: bigint) =>
  openAccount(books, id, { lots: [{ credits }], timeZone: zoneAtNoon() });

/** A hold of `churned`, and what becomes of it: it is released, captured, extended, or runs out of time. */
function lifeOf(at: number): HoldAsked[] {
  const of = { accountId: toAccountId("churned"), holdId: `run-${at}` };
  const later: HoldAsked[][] = [
    [],
    [{ kind: "release", ...of }],
    [{ kind: "capture", ...of, credits: 7n }],
    [{ kind: "extend", ...of, ttlMs: 2 * TEN_MINUTES }],
    [],
  ];
  const given = { ttlMs: at % 5 === 0 ? 1_000 : TEN_MINUTES, partial: at % 3 === 0 };
  return [askedHold("churned", of.holdId, BigInt(20 + (at % 90)), given), ...(later[at % 5] ?? [])];
}

describe("a thousand requests at once on one account", () => {
  test("through two processes set aside what there is, and not a micro-credit more", async () => {
    await openWith("thousand", 100n);
    const pools = [connect(books.url, 3), connect(books.url, 3)];
    const processes = pools.map((pool) => gatherRequests(pool, Date.now));
    const asked = Array.from({ length: 1_000 }, (_, at) =>
      processes[at % 2]?.(askedHold("thousand", `run-${at}`, BigInt(1 + (at % 7)))),
    );
    const outcomes = await Promise.all(asked);
    for (const pool of pools) await pool.end();
    const given = outcomes.flatMap((one) => (one?.kind === "held" ? [one.hold.credits] : []));
    expect(given.reduce((sum, credits) => sum + credits, 0n)).toBe(100n);
    expect((await accountOf("thousand")).held).toBe(100n);
    expect(
      outcomes.every((one) => one?.kind === "held" || one?.kind === "insufficient_credits"),
    ).toBe(true);
  });

  test("set aside what a budget leaves, while usage uses it up", async () => {
    // A call is a credit: usage alone leaves some of the budget.
    const credit = 1_000_000n;
    await openWith("limited", 1_000n * credit);
    await setBudgetOf(books, "limited", "team", { credits: 60n * credit });
    const pools = [connect(books.url, 3), connect(books.url, 3)];
    const processes = pools.map((pool) => gatherRequests(pool, Date.now));
    const dimensions = { team: "a" };
    const batches = usageBatches(books, "limited");
    const use = async () => {
      for (let at = 0; at < 20; at += 1) {
        await batches.debit([
          { eventId: `e${at}`, accountId: "limited", quantity: 1n, dimensions },
        ]);
      }
    };
    const asked = Array.from({ length: 300 }, (_, at) =>
      processes[at % 2]?.(
        askedHold("limited", `run-${at}`, BigInt(1 + (at % 3)) * credit, {
          ...{ dimensions, partial: at % 2 === 0 },
        }),
      ),
    );
    const [outcomes] = await Promise.all([Promise.all(asked), use()]);
    for (const pool of pools) await pool.end();
    const { held, position: used } = await accountOf("limited");
    const given = outcomes.flatMap((one) => (one?.kind === "held" ? [one.hold.credits] : []));
    expect(given.reduce((sum, credits) => sum + credits, 0n)).toBe(held);
    expect(held).toBeGreaterThan(0n);
    // Usage is never refused, so what comes after the last hold may exceed the budget; no hold does.
    expect(held).toBeLessThanOrEqual(60n * credit);
    const last = await changeHold(books, askedHold("limited", "last", 1n, { dimensions }));
    expect(last).toMatchObject({ kind: "budget_used_up", left: 60n * credit - used - held });
  });

  test("under one id are one hold", async () => {
    await openWith("one-id", 100n);
    const change = gatherRequests(books.database, Date.now);
    const same = Array.from({ length: 200 }, () => change(askedHold("one-id", "run", 60n)));
    const outcomes = await Promise.all(same);
    expect(outcomes.every((one) => one.kind === "held" && one.hold.credits === 60n)).toBe(true);
    expect((await accountOf("one-id")).held).toBe(60n);
  });

  test("given, captured, released and run out of time, as their records tell it, in order", async () => {
    await openWith("churned", 1_000n);
    const pools = [connect(books.url, 3), connect(books.url, 3)];
    let now = Date.now();
    const processes = pools.map((pool) => gatherRequests(pool, () => now));
    const churn = async (at: number) => {
      const change = processes[at % 2] ?? processes[0];
      for (const asked of lifeOf(at)) await change?.(asked);
      now += 10;
    };
    await Promise.all(Array.from({ length: 400 }, (_, at) => churn(at)));
    now += 2 * TEN_MINUTES + 1_000;
    while ((await endExpiredHolds(books.database, now)) > 0);
    for (const pool of pools) await pool.end();
    const told = await toldOf(books, "churned");
    expect(told.problems).toEqual([]);
    expect(told.most).toBeGreaterThan(500n);
    expect([told.held, (await accountOf("churned")).held]).toEqual([0n, 0n]);
    expect((await accountOf("churned")).holdChanges).toBe(BigInt(told.records));
  });
});

describe("what is due", () => {
  test("by time alone is posted first: the month's credits are there for a hold at its first instant", async () => {
    await openSubscriber(books, "monthly", { at: Date.UTC(2026, 8, 10) });
    const october = Date.UTC(2026, 9, 1);
    const all = askedHold("monthly", "run", 200n * CREDIT);
    expect(await changeHold(books, all, october - 1)).toMatchObject({
      ...{ kind: "insufficient_credits", available: 100n * CREDIT },
    });
    expect((await changeHold(books, all, october)).kind).toBe("held");
    expect(await accountOf("monthly")).toMatchObject({
      granted: 200n * CREDIT,
      held: 200n * CREDIT,
    });
    expect(await endExpiredHolds(books.database, october + TEN_MINUTES)).toBe(1);
  });

  test("a lot that has ended does not count, though its expiry waits for usage", async () => {
    const at = Date.now();
    const lots = [{ credits: 50n, expiresAt: at + MINUTE }, { credits: 10n }];
    await openAccount(books, "ending", { lots, at });
    expect((await changeHold(books, askedHold("ending", "before", 20n), at)).kind).toBe("held");
    expect(await changeHold(books, askedHold("ending", "after", 1n), at + MINUTE)).toMatchObject({
      ...{ kind: "insufficient_credits", available: -10n },
    });
  });
});

describe("a hold whose time is over", () => {
  test("counts no more from that instant on, though nobody has ended it", async () => {
    await openWith("over", 100n);
    const at = Date.now();
    await changeHold(books, askedHold("over", "first", 100n), at);
    const second = askedHold("over", "second", 100n);
    expect((await changeHold(books, second, at + TEN_MINUTES - 1)).kind).toBe(
      "insufficient_credits",
    );
    expect((await changeHold(books, second, at + TEN_MINUTES)).kind).toBe("held");
    expect((await toldOf(books, "over")).problems).toEqual([]);
  });

  test("is ended by any service, once, and its balance is published", async () => {
    await openWith("ended", 100n);
    const at = Date.now();
    await changeHold(books, askedHold("ended", "run", 60n, SHORT), at);
    await books.database.query("DELETE FROM balance_change");
    const over = at + SHORT.ttlMs;
    expect(await endExpiredHolds(books.database, over - 1)).toBe(0);
    const ended = await Promise.all([1, 2, 3].map(() => endExpiredHolds(books.database, over)));
    expect(ended.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await accountOf("ended")).toMatchObject({ held: 0n, holdChanges: 2n });
    const { rows } = await books.database.query("SELECT account_ids FROM balance_change");
    expect(rows).toEqual([{ account_ids: ["ended"] }]);
  });

  test("waits for nobody who has locked its account, and neither do others", async () => {
    const at = Date.now();
    for (const id of ["locked", "free"]) {
      await openWith(id, 100n);
      await changeHold(books, askedHold(id, "run", 60n, SHORT), at);
    }
    const over = at + SHORT.ttlMs;
    await inTransaction(books.database, async (transaction) => {
      await lockAccounts(transaction, ["locked"]);
      expect(await endExpiredHolds(books.database, over)).toBe(1);
    });
    expect(await endExpiredHolds(books.database, over)).toBe(1);
  });
});

describe("metering", () => {
  test("runs no batch again because of a hold, and keeps what is held", async () => {
    await openWith("metered", 100n);
    const read = await accountOf("metered");
    expect((await changeHold(books, askedHold("metered", "run", 60n))).kind).toBe("held");
    const drawn = { ...read, position: 0n, threshold: 0n, version: read.version };
    const moved = await inTransaction(books.database, (transaction) =>
      updateAccounts(transaction, [drawn]),
    );
    expect(moved).toEqual([]);
    expect(await accountOf("metered")).toMatchObject({ held: 60n, version: read.version + 1n });
  });

  test("leaves less available: usage in debt of what is held is metered, and nothing more is given", async () => {
    await openWith("spent", 100n * CREDIT);
    expect((await changeHold(books, askedHold("spent", "run", 60n * CREDIT))).kind).toBe("held");
    const batches = usageBatches(books, "spent");
    await batches.debit([{ eventId: "e1", accountId: "spent", quantity: 70n }]);
    expect(await changeHold(books, askedHold("spent", "more", 1n))).toMatchObject({
      ...{ kind: "insufficient_credits", available: -30n * CREDIT },
    });
  });
});

test("a hold is told on billing.holds with the state after each change", async () => {
  await openWith("told", 100n);
  const at = Date.UTC(2026, 10, 1);
  const of = { accountId: toAccountId("told"), holdId: "run" };
  await changeHold(books, askedHold("told", "run", 60n), at);
  await changeHold(books, { kind: "capture", ...of, credits: 50n }, at + 1);
  await changeHold(books, { kind: "capture", ...of, credits: 50n }, at + 2);
  await endExpiredHolds(books.database, at + TEN_MINUTES);
  const { rows } = await books.database.query(
    "SELECT record::json FROM outbox WHERE account_id = 'told' AND topic = $1 ORDER BY sequence",
    [TOPICS.holds],
  );
  const one = { account_id: "told", hold_id: "run", asked: "60", credits: "60", used: "0" };
  const ends = { expires_at: at + TEN_MINUTES, requested_by: "test" };
  const open = { status: "open", captured: null, held: "60", ended_at: null, changed_at: at };
  const captured = { status: "captured", captured: "50" };
  expect(rows.map(({ record }) => record)).toEqual([
    { ...one, ...ends, ...open, sequence: "1" },
    { ...one, ...ends, ...captured, sequence: "2", held: "50", ended_at: null, changed_at: at + 1 },
    {
      ...{ ...one, ...ends, ...captured, sequence: "3", held: "0" },
      ...{ ended_at: at + TEN_MINUTES, changed_at: at + TEN_MINUTES },
    },
  ]);
});

test("each is looked up by its key, also where plans were made while there were none", async () => {
  await openWith("many", 4_000n);
  const database = connect(books.url, 2, "of_one_account");
  const change = gatherRequests(database, Date.now);
  await books.database.query("DELETE FROM hold WHERE ended_at IS NOT NULL");
  await books.database.query("VACUUM ANALYZE hold");
  const named = Array.from({ length: 2_000 }, (_, at) => askedHold("many", `run-${at}`, 1n));
  for (const asked of named.slice(0, 2)) await change(asked);
  await Promise.all(named.map(change));
  const before = await holdsLookedAt();
  const released = named.slice(0, 500).map(({ accountId, holdId }) => ({ accountId, holdId }));
  await Promise.all(released.map((hold) => change({ kind: "release", ...hold })));
  await database.end();
  expect((await holdsLookedAt()) - before).toBeLessThan(3_000);
});

/** How many entries indexes of holds have given. */
async function holdsLookedAt(): Promise<number> {
  await books.database.query("SELECT pg_stat_force_next_flush()");
  const { rows } = await books.database.query<{ looked: number }>(
    "SELECT sum(idx_tup_read)::float8 AS looked FROM pg_stat_user_indexes WHERE relname = 'hold'",
  );
  return rows[0]?.looked ?? Number.NaN;
}

test("of accounts in one transaction an unknown one holds up no other", async () => {
  await openWith("known", 100n);
  const change = gatherRequests(books.database, Date.now);
  const outcomes = await Promise.all([
    change(askedHold("known", "first", 1n)),
    change(askedHold("nobody", "run", 1n)),
    change(askedHold("known", "second", 1n)),
    change(askedHold("nobody", "run", 1n)),
  ]);
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    ...["held", "unknown_account", "held", "unknown_account"],
  ]);
});

test("a request waits for an account that another has locked, and holds up no request about others", async () => {
  for (const id of ["kept", "open-1", "open-2"]) await openWith(id, 100n);
  const change = gatherRequests(books.database, Date.now);
  let kept: Promise<HoldOutcome> | null = null;
  await inTransaction(books.database, async (transaction) => {
    await lockAccounts(transaction, ["kept"]);
    kept = change(askedHold("kept", "run", 1n));
    for (const id of ["open-1", "open-2"]) {
      expect((await change(askedHold(id, "run", 1n))).kind).toBe("held");
    }
    expect((await accountOf("kept")).held).toBe(0n);
  });
  expect(await kept).toMatchObject({ kind: "held" });
});

test("a sum that differs from its holds is named by doctor", async () => {
  await openWith("wrong", 100n);
  await changeHold(books, askedHold("wrong", "run", 60n));
  await books.database.query("UPDATE account SET held = held - 1 WHERE account_id = 'wrong'");
  expect(await brokenInvariants(books.database)).toEqual([
    "held is the sum of what open holds set aside: wrong",
  ]);
  await books.database.query("UPDATE account SET held = held + 1 WHERE account_id = 'wrong'");
});
