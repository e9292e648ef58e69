import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIndexes } from "../../../infra/postgres/build-indexes.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { batchOf } from "../../support/books/batch-of.ts";
import {
  type Books,
  connect,
  openAccount,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { type Usage, type UsageBatches, usageBatches } from "../../support/books/usage-batches.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";
import { superuserUrl } from "../../support/stack/template.ts";

/** Several writers move the same accounts concurrently. */
const NOW = Date.now();

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
});

afterAll(async () => {
  await books?.close();
});

const FIVE = Array.from({ length: 5 }, (_, index) => `shared-${index}`);

test("consumers of several partitions debit the same accounts during grants: nothing is lost", async () => {
  for (const account of FIVE) await openAccount(books, account, { threshold: 20n });
  const batches = 15;
  const consume = async (partition: string) => {
    const usage = usageBatches(books, partition);
    for (let batch = 0; batch < batches; batch += 1) {
      await usage.debit(eventsOn(FIVE, `${partition}-${batch}`, 3));
    }
  };
  const grant = async (account: string) => {
    for (let lot = 0; lot < batches; lot += 1) await give(account, `lot-${lot}`, 30n);
  };
  await Promise.all([...["p", "q", "r"].map(consume), ...FIVE.map(grant)]);

  const used = BigInt(3 * batches * 3 * 2);
  const granted = BigInt(batches * 30);
  expect(await rowsOf("shared-%")).toEqual(
    FIVE.map((account_id) => ({ account_id, granted, position: used })),
  );
  expect(await lowBalancesThatDoNotCountUp()).toEqual([]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("two consumers with the same batches of a partition meter each once", async () => {
  await openAccount(books, "held-twice", { lots: [{ credits: 1_000n }] });
  const usage = usageBatches(books, "held-twice");
  const batches = Array.from({ length: 20 }, (_, batch) =>
    usage.next(eventsOn(["held-twice"], `batch-${batch}`, 5)),
  );
  const consume = async () => {
    for (const batch of batches) await debitUsage(books.database, ratesReader(), batch);
  };
  await Promise.all([consume(), consume()]);
  expect(await rowsOf("held-twice")).toMatchObject([{ position: BigInt(20 * 5 * 2) }]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("consumers with the same batches of repeats drop them, and none fails", async () => {
  await openAccount(books, "repeated", { lots: [{ credits: 1_000n }] });
  const usage = usageBatches(books, "repeated");
  await usage.debit(eventsOn(["repeated"], "first", 5));
  const batches = Array.from({ length: 20 }, () => usage.next(eventsOn(["repeated"], "first", 5)));
  const consume = async () => {
    for (const batch of batches) await debitUsage(books.database, ratesReader(), batch);
  };
  await Promise.all([consume(), consume(), consume()]);
  expect(await rowsOf("repeated")).toMatchObject([{ position: BigInt(5 * 2) }]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("a grant between reading and writing an account makes the batch run again", async () => {
  await openAccount(books, "overtaken", { lots: [{ credits: 3n }], threshold: 5n });
  const usage = usageBatches(books, "overtaken").next(eventsOn(["overtaken"], "one", 4));
  const proxy = await openPostgresProxy(books.url);
  const throughProxy = connect(proxy.url);
  const tries: string[] = [];
  const overtake = () =>
    proxy.catchNext(
      ({ sql }) => /^\s*UPDATE account\b/.test(sql),
      async () => {
        tries.push("overtaken");
        await give("overtaken", `late-${tries.length}`, 5n);
        if (tries.length < 3) void overtake();
      },
    );
  void overtake();
  const outcome = await debitUsage(throughProxy, ratesReader(), usage);
  await throughProxy.end();
  await proxy.close();

  expect(tries).toHaveLength(3);
  expect(outcome).toMatchObject({ metered: 4, lowBalances: 0 });
  expect(await rowsOf("overtaken")).toMatchObject([{ granted: 18n, position: 8n }]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("runs of several partitions share a transaction: those already read or ahead of the books move nothing", async () => {
  await openAccount(books, "joined", { lots: [{ credits: 1_000n }] });
  const next = (partition: string) =>
    usageBatches(books, partition).next(eventsOn(["joined"], partition, 5));
  const [fresh, before, ahead] = [next("fresh"), next("before"), next("ahead")];
  await debitUsage(books.database, ratesReader(), before);
  const gap = { ...ahead, runs: ahead.runs.map((run) => ({ ...run, fetchedFrom: 3n })) };
  const none = { nextOffset: 0n, events: [] };
  await debitUsage(books.database, ratesReader(), {
    ...ahead,
    runs: ahead.runs.map((run) => ({ ...run, ...none })),
  });
  const outcome = await debitUsage(books.database, ratesReader(), {
    ...fresh,
    runs: [...gap.runs, ...fresh.runs, ...before.runs],
  });
  expect(outcome).toMatchObject({
    runs: [
      { kind: "gap", nextOffset: 0n },
      { kind: "committed" },
      { kind: "read_before", nextOffset: 5n },
    ],
    metered: 5,
  });
  expect(await rowsOf("joined")).toMatchObject([{ position: BigInt(2 * 5 * 2) }]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("an index of a migration is built while others write, says whom it waits for, and is built again where that was broken off", async () => {
  const waited: string[] = [];
  await openAccount(books, "indexed");
  const usage = usageBatches(books, "indexed");
  await usage.debit(eventsOn(["indexed"], "first", 2));
  const directory = await mkdtemp(join(tmpdir(), "migrations-"));
  const index = "CREATE INDEX IF NOT EXISTS account_by_time ON account (created_at);\n";
  await writeFile(join(directory, "0001_index.sql"), `-- Up Migration\n\n${index}`);
  const database = connect(superuserUrl(books.url), 2);
  const owner = await database.connect();
  const writer = await books.database.connect();
  try {
    // What a broken-off build leaves behind.
    await owner.query("CREATE INDEX account_by_time ON account (version)");
    await owner.query(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'account_by_time'::regclass",
    );
    await writer.query("BEGIN");
    await writer.query("UPDATE account SET currency = currency WHERE account_id = 'shared-0'");
    const waiting = { database, onWait: (holder: string) => void waited.push(holder) };
    const build = (more = {}) =>
      buildIndexes(owner, pathToFileURL(`${directory}/`), { ...waiting, ...more });
    await expect(build({ mostWaitMs: 1_500 })).rejects.toThrow(
      "the index account_by_time waits for drawdown-test: end what it does, and run set-up again",
    );
    expect(waited).toEqual(["drawdown-test"]);
    const built = build();
    await usage.debit(eventsOn(["indexed"], "meanwhile", 2));
    await writer.query("COMMIT");
    await built;
    const { rows } = await owner.query(
      "SELECT indisvalid, pg_get_indexdef(indexrelid) LIKE '%(created_at)' AS is_new FROM pg_index WHERE indexrelid = 'account_by_time'::regclass",
    );
    expect(rows).toEqual([{ indisvalid: true, is_new: true }]);
  } finally {
    await writer.query("ROLLBACK");
    writer.release();
    owner.release();
    await database.end();
    await rm(directory, { recursive: true });
  }
});

test("runs of several partitions that keep conflicting with others all succeed", async () => {
  await openAccount(books, "torn", { lots: [{ credits: 1_000n }] });
  const stop = new AbortController();
  const small = keepDebiting(usageBatches(books, "tearing"), "torn", stop.signal);
  const names = ["torn-1", "torn-2", "torn-3"];
  const runs = names.map((name) => {
    return usageBatches(books, name).run(eventsOn(["torn"], name, 3_000));
  });
  const batch = batchOf(runs, { now: Date.now() });
  const outcome = await debitUsage(books.database, ratesReader(), batch).finally(() =>
    stop.abort(),
  );
  expect(await small).toBeGreaterThan(0);
  expect(outcome.runs).toEqual(names.map(() => ({ kind: "committed" })));
  expect(outcome.metered).toBe(9_000);
  expect(await brokenInvariants(books.database)).toEqual([]);
}, 60_000);

test("a large batch succeeds although small ones keep moving its account", async () => {
  await openAccount(books, "busy");
  const stop = new AbortController();
  const small = keepDebiting(usageBatches(books, "small"), "busy", stop.signal);
  const large = usageBatches(books, "large").debit(eventsOn(["busy"], "large", 10_000));
  const outcome = await large.finally(() => stop.abort());
  const moved = await small;
  expect(outcome).toMatchObject({ metered: 10_000 });
  expect(moved).toBeGreaterThan(0);
  expect(await brokenInvariants(books.database)).toEqual([]);
}, 60_000);

async function keepDebiting(
  usage: UsageBatches,
  account: string,
  signal: AbortSignal,
): Promise<number> {
  let batches = 0;
  for (; !signal.aborted; batches += 1) await usage.debit(eventsOn([account], `s-${batches}`, 1));
  return batches;
}

/** Events of two calls each, for every account. */
function eventsOn(accounts: readonly string[], name: string, each: number): Usage[] {
  return accounts.flatMap((accountId) =>
    Array.from({ length: each }, (_, index) => ({
      eventId: `${name}-${index}`,
      accountId,
      quantity: 2n,
      occurredAt: NOW,
    })),
  );
}

async function give(account: string, lotId: string, credits: bigint): Promise<void> {
  const lot = { lotId, credits, source: "top_up", reference: "", end: { kind: "never" } } as const;
  const outcome = await grantCredits(books.database, toAccountId(account), lot, Date.now());
  expect(outcome.kind).toBe("granted");
}

async function rowsOf(accounts: string) {
  const { rows } = await books.database.query<{
    account_id: string;
    granted: bigint;
    position: bigint;
  }>(
    "SELECT account_id, granted, position FROM account WHERE account_id LIKE $1 ORDER BY account_id",
    [accounts],
  );
  return rows;
}

async function lowBalancesThatDoNotCountUp() {
  const { rows } = await books.database.query(
    `SELECT account_id FROM account JOIN outbox USING (account_id)
     WHERE topic = 'billing.low-balance'
     GROUP BY account_id, crossings
     HAVING count(*) <> crossings OR max(sequence) <> crossings`,
  );
  return rows;
}
