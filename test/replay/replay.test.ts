import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import type { PoolClient } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { withdrawLot } from "../../shared/ledger/credits/withdraw-lot.ts";
import { recordChargeLimits } from "../../shared/ledger/payments/charge-limits.ts";
import { listTables } from "../../shared/ledger/replay/book-tables.ts";
import {
  type Books,
  connect,
  copyBooks,
  openAccount,
  openBooks,
  setPrice,
} from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { drawdown } from "../support/cli/drawdown.ts";
import { everyTable } from "../support/cli/every-table.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { startMetering } from "../support/processes/metering-process.ts";
import { superuserUrl } from "../support/stack/template.ts";
import { playPublished } from "./published-history.ts";

/**
 * Books are rebuilt, in an empty database, from the topic and the entries.
 *
 * - they equal the original, account by account, and metering continues from there
 * - where they differ, the account and the row are named
 * - the original is never written
 * - an unfinished replay is never taken for books
 */
const kafka = testKafka();

let giveTopicBack: () => Promise<void>;
/** Books with a history of months, metered with the clock passed in. */
let books: Books;
let before: Awaited<ReturnType<typeof everyTable>>;
let target: Books;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  await playPublished(books, kafka, { seed: 20_261_126, accounts: 12, steps: 40 });
  // Others than set-up records in the target.
  await recordChargeLimits(books.database, new Map([["USD", 60n]]), new Map());
  before = await everyTable(books);
}, 120_000);

afterAll(async () => {
  await books?.close();
  await giveTopicBack?.();
});

beforeEach(async () => {
  target = await openTarget();
});

afterEach(async () => {
  await target.close();
  expect(await everyTable(books)).toEqual(before);
});

describe("a replay", () => {
  test("of a rich history equals the original, and its invariants hold", async () => {
    const ran = await replay(books);
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toMatch(/^12 accounts, \d+ events: equal \([\d,]+ events?\/s\)\.\n$/);
    expect(ran.code).toBe(0);
    expect(await brokenInvariants(target.database)).toEqual([]);
    const after = await everyTable(target);
    const same = [
      "balance_change",
      "charge_limit",
      "consumer_offset",
      "dead_letter",
      "hold",
      "lot",
      "outbox",
      "payment",
      "refund",
      "schedule",
      "spend",
    ];
    for (const table of same) expect(after[table], table).toEqual(before[table]);
    // The history has all kinds of entries, or it would prove little.
    const { rows } = await target.database.query<{ kind: string }>(
      "SELECT DISTINCT kind FROM entry ORDER BY kind",
    );
    const kinds = rows.map(({ kind }) => kind);
    expect(kinds).toEqual(["add_on_charge", "adjustment", "expiry", "grant", "reversal"]);
    const late = "SELECT FROM usage_record WHERE given_back > 0";
    expect((await target.database.query(late)).rowCount).toBeGreaterThan(0);
    const held = "SELECT FROM hold WHERE used > 0";
    expect((await target.database.query(held)).rowCount).toBeGreaterThan(0);
  });

  test("reports its result as JSON", async () => {
    const ran = await replay(books, "--json");
    expect(JSON.parse(ran.stdout)).toMatchObject({
      ...{ accounts: "12", equal: true, differing: 0, differences: [] },
      events: await countOf(books, "usage_record WHERE NOT goes_on"),
    });
  });

  test("of a replay equals it again", async () => {
    await replay(books);
    const second = await openTarget();
    const ran = await drawdown(["replay", "--into", second.url], env(target));
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
    await second.close();
  });

  test("creates the tables in a database without any", async () => {
    await target.database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    const ran = await replay(books);
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
  });

  test("either copies or builds every table", async () => {
    expect((await listTables(target.database)).foreign).toEqual([]);
  });
});

describe("books that were metered live, concurrently with grants and withdrawals", () => {
  const ACCOUNTS = Array.from({ length: 8 }, (_, n) => `live-${n}`);
  let live: Books;

  beforeAll(async () => {
    live = await openBooks();
    await setPrice(live, "call", 7n, 3n);
    await setPrice(live, "byte", 2n, 5n);
    for (const id of ACCOUNTS) await openAccount(live, id, { lots: [{ credits: 5_000n }] });
    await meterLive(live, async () => {
      await Promise.all([publish(60), move()]);
    });
  }, 120_000);

  afterAll(() => live?.close());

  test("are replayed, and metering continues from there", async () => {
    const ran = await replay(live);
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
    const events = await countOf(target, "usage_record");
    await meterLive(target, () => publish(1));
    expect(await countOf(target, "usage_record")).toBe(events + ACCOUNTS.length);
    expect(await brokenInvariants(target.database)).toEqual([]);
  });

  async function publish(rounds: number): Promise<void> {
    const usage = await openUsagePublisher(kafka);
    for (let n = 0; n < rounds; n += 1) {
      await usage.publish(
        ACCOUNTS.map((accountId) => {
          return { accountId, eventId: `${accountId}-${Date.now()}-${n}`, quantity: BigInt(n % 5) };
        }),
      );
    }
    await usage.close();
  }

  async function move(): Promise<void> {
    for (let n = 0; n < 40; n += 1) {
      for (const id of ACCOUNTS.slice(n % 4)) {
        const [accountId, lotId, now] = [toAccountId(id), `more-${n}`, Date.now()];
        const lot = { lotId, credits: 100n, source: "promotion", reference: "" } as const;
        await grantCredits(
          live.database,
          accountId,
          { ...lot, end: n % 3 === 0 ? { kind: "at", at: now + 500 } : { kind: "never" } },
          now,
        );
        if (n % 5 !== 1) continue;
        const asked = { lotId, credits: null, reference: "" };
        await withdrawLot(live.database, { accountId, now }, asked);
      }
    }
  }
});

describe("a difference is found and named", () => {
  let planted: Books;

  beforeEach(async () => {
    planted = await openBooks();
  });

  afterEach(() => planted.close());

  test.each([
    {
      what: "of a usage record's credits",
      table: "usage_record",
      plant: `UPDATE usage_record SET credits = credits + 1
              WHERE event_id = (SELECT max(event_id) FROM usage_record) RETURNING account_id`,
    },
    {
      what: "of an entry's credits",
      table: "entry",
      plant: `UPDATE entry SET credits = credits - 1
              WHERE (account_id, sequence) = (SELECT account_id, sequence FROM entry
                WHERE kind = 'add_on_charge' ORDER BY 1, 2 LIMIT 1) RETURNING account_id`,
    },
    {
      what: "of an entry's line",
      table: "entry",
      plant: `UPDATE entry SET position = position + 5
              WHERE (account_id, sequence) = (SELECT account_id, max(sequence) FROM entry
                GROUP BY 1 ORDER BY 1 LIMIT 1) RETURNING account_id`,
    },
    {
      what: "of an account's position",
      table: "account",
      plant: `UPDATE account SET position = position + 1
              WHERE account_id = (SELECT min(account_id) FROM account) RETURNING account_id`,
    },
    {
      what: "of a lot that is gone",
      table: "lot",
      plant: `DELETE FROM lot WHERE (account_id, lot_id) = (SELECT account_id, lot_id FROM lot
              WHERE source = 'promotion' ORDER BY 1, 2 LIMIT 1) RETURNING account_id`,
    },
    {
      what: "of usage that the books never had",
      table: "usage_record",
      plant: `DELETE FROM usage_record
              WHERE event_id = (SELECT min(event_id) FROM usage_record) RETURNING account_id`,
    },
    {
      what: "of an hour's spend",
      table: "spend",
      plant: `UPDATE spend SET credits = credits + 1 WHERE (account_id, hour, meter) =
              (SELECT account_id, hour, meter FROM spend ORDER BY 1, 2, 3 LIMIT 1) RETURNING account_id`,
    },
  ])("$what", async ({ table, plant }) => {
    await planted.close();
    planted = await copyBooks(books);
    const { rows } = await planted.database.query<{ account_id: string }>(plant);
    const ran = await drawdown(["replay", "--into", target.url, "--json"], env(planted));
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stderr).error).toMatch(/^1 account in \S+ differ from the books/);
    const { differences } = JSON.parse(ran.stdout);
    const accountId = rows[0]?.account_id;
    expect(differences).toContainEqual(expect.objectContaining({ table, account_id: accountId }));
    expect(new Set(differences.map((found: { account_id: string }) => found.account_id))).toEqual(
      new Set([accountId]),
    );
  });

  test("in words, with both rows", async () => {
    await planted.close();
    planted = await copyBooks(books);
    await planted.database.query(
      "UPDATE account SET granted = 12345 WHERE account_id = (SELECT min(account_id) FROM account)",
    );
    const ran = await drawdown(["replay", "--into", target.url], env(planted));
    expect(ran.stdout).toMatch(/not equal .*\naccount account-\S+, account:\n {2}books {3}.*12345/);
  });
});

describe("refused, with nothing written:", () => {
  test.each([
    {
      what: "a database with books in it",
      prepare: () => openAccount(target, "somebody"),
      says: "the database to replay into is not empty: table account has rows",
    },
    {
      what: "somebody else's database",
      prepare: () => target.database.query("CREATE TABLE invoice ()"),
      says: "the database to replay into has tables that are not Drawdown's: invoice",
    },
    {
      what: "the books themselves",
      prepare: async () => undefined,
      into: () => books.url,
      says: /^the database to replay into is not empty: table \w+ has rows$/,
    },
    {
      what: "a database that is not there",
      prepare: async () => undefined,
      into: () => target.url.replace(/books_\w+/, "nowhere"),
      says: /^Postgres at \S+\/nowhere refuses the connection: database "nowhere" does not exist$/,
    },
  ])("$what", async ({ prepare, into, says }) => {
    await prepare();
    const tables = await everyTable(target);
    const ran = await drawdown(["replay", "--into", into?.() ?? target.url], env(books));
    expect([ran.code, ran.stderr.trim()]).toEqual([
      1,
      typeof says === "string" ? says : expect.stringMatching(says),
    ]);
    expect(await everyTable(target)).toEqual(tables);
  });

  test("what is not a database URL, and a missing --into", async () => {
    for (const args of [["--into", "nonsense"], []]) {
      const ran = await drawdown(["replay", ...args], env(books));
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("--into")]);
    }
  });

  test("a source without books", async () => {
    const none = await openBooks();
    await none.database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    const ran = await drawdown(["replay", "--into", target.url], env(none));
    await none.close();
    expect([ran.code, ran.stderr]).toEqual([
      1,
      expect.stringContaining("does not have the tables of this version"),
    ]);
  });

  test("a source of a later version", async () => {
    const later = await copyBooks(books);
    await later.database.query("INSERT INTO migration (name, run_on) VALUES ('0099_later', now())");
    const ran = await drawdown(["replay", "--into", target.url], env(later));
    await later.close();
    expect([ran.code, ran.stderr.trim()]).toEqual([
      1,
      "the books have migrations that this version does not know: 0099_later",
    ]);
  });

  test("a topic that is shorter than what the books have read", async () => {
    const ahead = await copyBooks(books);
    await ahead.database.query("UPDATE consumer_offset SET next_offset = next_offset + 1000000");
    const ran = await drawdown(["replay", "--into", target.url], env(ahead));
    await ahead.close();
    expect([ran.code, ran.stderr]).toEqual([
      1,
      expect.stringMatching(
        /ends at \d+, but the books have read up to \d+: this is not the topic/,
      ),
    ]);
    expect(await countOf(target, "account")).toBe(0);
  });
});

describe("reported in one sentence, with what is left:", () => {
  const LEFT = "has only a part of the books: drop it, and replay into an empty database";

  test("a registry that has lost a schema", async () => {
    const registry = createServer((_, response) => {
      response.writeHead(404, { "content-type": "application/json" });
      response.end('{"error_code":40403,"message":"Schema not found"}');
    }).listen(0, "127.0.0.1");
    await once(registry, "listening");
    const { port } = registry.address() as AddressInfo;
    const ran = await drawdown(["replay", "--into", target.url], {
      env: { ...env(books).env, SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}` },
    });
    registry.close();
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(
      /^usage\.events\/\d at offset \d+ can no longer be read: the registry has no schema \d+; /,
    );
    expect(ran.stderr).toContain(LEFT);
  });

  test("a topic with something else", async () => {
    const other = await copyBooks(books);
    await other.database.query("DELETE FROM dead_letter WHERE reason = 'unreadable'");
    const ran = await drawdown(["replay", "--into", target.url], env(other));
    await other.close();
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/is not usage that could have been metered/);
    expect(ran.stderr).toContain(LEFT);
  });

  test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("%s in the middle", async (signal) => {
    const held = await hold("usage_record");
    const replaying = startReplay();
    await untilWaiting();
    replaying.child.kill(signal);
    if (signal === "SIGKILL") await replaying.ended;
    await held.release();
    const { code, stderr } = await replaying.ended;
    if (signal !== "SIGKILL") {
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^interrupted; /)]);
      expect(stderr).toContain(LEFT);
    }
    const again = await replay(books);
    expect([again.code, again.stderr.trim()]).toEqual([
      1,
      "the database to replay into holds an unfinished replay; drop it, and replay into an empty one",
    ]);
    const metering = startMetering({ ...process.env, DATABASE_URL: target.url });
    expect(await metering.ended).not.toBe(0);
    expect(JSON.stringify(metering.log)).toContain("an unfinished replay");
  });

  test("an interrupt before anything is written leaves nothing, and the replay can be repeated", async () => {
    const held = await hold("payment");
    const replaying = startReplay();
    await untilWaiting();
    replaying.child.kill("SIGINT");
    await held.release();
    const { code, stderr } = await replaying.ended;
    expect([code, stderr.trim()]).toEqual([1, "interrupted"]);
    const again = await replay(books);
    expect([again.code, again.stderr]).toEqual([0, ""]);
  });

  /** Keeps writers off a table of the target. */
  async function hold(table: string): Promise<{ release(): Promise<void> }> {
    const other = connect(target.url, 1);
    const client: PoolClient = await other.connect();
    await client.query(`BEGIN; LOCK TABLE ${table} IN EXCLUSIVE MODE`);
    return {
      async release() {
        client.release(true);
        await other.end();
      },
    };
  }

  async function untilWaiting(): Promise<void> {
    await eventually("the replay waits for the table", async () => {
      const { rowCount } = await target.database.query(
        `SELECT FROM pg_locks JOIN pg_database ON database = pg_database.oid
         WHERE datname = current_database() AND NOT granted`,
      );
      return (rowCount ?? 0) > 0;
    });
  }
});

// Last: afterwards the topic no longer contains the books' usage.
test("a topic with messages deleted by retention is refused, naming them", async () => {
  const admin = kafka.admin();
  await admin.connect();
  const [first] = (await admin.fetchTopicOffsets(TOPICS.usageEvents)).filter(
    ({ low, high }) => Number(high) - Number(low) > 40,
  );
  if (first === undefined) throw new Error("no partition holds usage");
  const { partition } = first;
  const low = Number(first.low) + 30;
  const partitions = [{ partition, offset: String(low) }];
  await admin.deleteTopicRecords({ topic: TOPICS.usageEvents, partitions });
  await admin.disconnect();
  const ran = await replay(books);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(
    new RegExp(
      `^offsets \\d+ to ${low - 1} of usage.events/${partition} are past the topic's retention, ` +
        "and the books have metered \\d+ events there: they can no longer be replayed\n$",
    ),
  );
  expect(await countOf(target, "account")).toBe(0);
});

function env({ url }: Pick<Books, "url">) {
  return { env: { DATABASE_URL: url } };
}

function replay(from: Books, ...more: string[]) {
  return drawdown(["replay", "--into", target.url, ...more], env(from));
}

/** A replay of the books that can be sent a signal. */
function startReplay(): {
  child: ChildProcess;
  ended: Promise<{ code: number | null; stderr: string }>;
} {
  const main = resolve(import.meta.dirname, "../../services/cli/main.ts");
  const child = spawn(process.execPath, [main, "replay", "--into", target.url], {
    env: { ...process.env, ...env(books).env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, "close").then(([code]: unknown[]) => {
    return { code: typeof code === "number" ? code : null, stderr };
  });
  return { child, ended };
}

async function meterLive(of: Books, work: () => Promise<void>): Promise<void> {
  const metering = startMetering({ ...process.env, DATABASE_URL: of.url });
  try {
    await metering.says(/^metering$/);
    await work();
    await untilCaughtUp(kafka, of.database);
  } finally {
    await metering.stop();
  }
}

async function countOf({ database }: Books, table: string): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM ${table}`,
  );
  return rows[0]?.count ?? 0;
}

/** A replay makes the tables of its target. */
async function openTarget(): Promise<Books> {
  const target = await openBooks();
  return { ...target, url: superuserUrl(target.url) };
}
