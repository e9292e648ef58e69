import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { takeCredits } from "../../../shared/ledger/credits/adjust-credits.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import { ACCOUNT_TABLES } from "../../../shared/ledger/privacy/account-tables.ts";
import { eraseAgain } from "../../../shared/ledger/privacy/erase-again.ts";
import { EXPORTED_TABLES } from "../../../shared/ledger/privacy/export-account.ts";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import { askedHold, changeHold } from "../../support/books/holds.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import {
  chatOf,
  DEDUCTION,
  GRANT,
  OTHER_PERSON,
  openChat,
  openPersonal,
  PERSON,
} from "../../support/books/personal-account.ts";
import { openCatalogue, openSubscriber } from "../../support/books/subscribers.ts";
import { type UsageBatches, usageBatches } from "../../support/books/usage-batches.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { eventually } from "../../support/eventually.ts";

/**
 * - everything held about an account is exported, and no table is forgotten
 * - once an account is erased, nothing personal is found anywhere, and the books are whole
 * - an erasure that is killed goes on with the same pseudonyms; another one changes nothing
 * - what comes later is erased by the scheduler; while something is under way, nothing is erased
 */
let books: Books;
let usage: UsageBatches;

beforeAll(async () => {
  books = await openBooks();
  usage = usageBatches(books, "privacy");
  await openChat(books);
});

afterAll(() => books?.close());

const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });

async function rowsOf<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await books.database.query<Row>(text, values)).rows;
}

/** What no operation of a test without a gateway, a broker and a receiver leaves behind. */
async function plantTheRest(id: string): Promise<void> {
  const texts = [
    `INSERT INTO alert VALUES ($1, 1, 'budget', 'user=' || $2, 'all', 80, 1, 1, NULL, 'event:chat-1', $2, now(), now()),
       ($1, 2, 'top_up_declined', '', 'all', 0, NULL, NULL, NULL, 'time', $2, now(), now())`,
    `INSERT INTO top_up_notice VALUES ($1, 1000, 'manual:x', 'failed', 1, 'USD', 1, $2, now())`,
    `INSERT INTO refund VALUES ($1, 'r-1', 'manual:order-1', 'refund', 'refused', 1, 0, 0, $2, 'test', now(), NULL)`,
    "UPDATE auto_top_up SET stopped = $2 WHERE account_id = $1",
    "UPDATE payment SET reason = $2, customer = $2, method = $2 WHERE account_id = $1",
    `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, account_id, reason, detail, key, payload,
       payload_size, payload_sha256, recorded_at, published_at, retry_refused, dismissed_at, dismissed_by, dismissed_reason)
     VALUES ('usage.events', 0, 900, $1, 'conflict', $2, convert_to($2, 'UTF8'), convert_to($2, 'UTF8'), 99,
       convert_to($2, 'UTF8'), now(), now(), $2, now(), 'test', $2)`,
    `INSERT INTO webhook_delivery (account_id, endpoint_id, type, sequence, webhook_id, body, answer_start, problem,
       created_at, delivered_at) VALUES ($1, 'e', 'billing.alerts', 1, 'w', $2, $2, $2, now(), now())`,
    "INSERT INTO repair VALUES ($1, 'd', now(), 'test', 'restored', 0, to_jsonb($2))",
    "INSERT INTO dashboard_token VALUES ($1, '\\x01', 'k', now() + interval '1 hour', true)",
    "INSERT INTO budget_spend VALUES ($1, 'user', 'day', now(), $2, now() - interval '90 days', 0)",
    "INSERT INTO budget_added VALUES ($1, 'user', 'day', now(), 0, NULL, ARRAY[$2], '{0}')",
    "INSERT INTO budget_unlisted VALUES ($1, 'user', 'day', now(), $2, 0)",
    "INSERT INTO api_key VALUES ('k', 'of one', '\\x01', '{read}', 'test', now(), NULL, NULL, NULL, ARRAY[$1])",
  ];
  for (const text of texts) {
    await books.database.query(`WITH given AS (SELECT $1::text, $2::text) ${text}`, [id, PERSON]);
  }
}

/** What the relay does. */
async function publishAll(): Promise<void> {
  await books.database.query("DELETE FROM outbox; DELETE FROM balance_change");
}

const HEX = Buffer.from(PERSON).toString("hex");

/** The tables in which a person is found, in any column, also as bytes. */
async function whereFound(): Promise<string[]> {
  const tables = Object.entries(await everyTable(books));
  const hasPerson = (row: string) => row.includes(PERSON) || row.includes(HEX);
  return tables.flatMap(([name, rows]) => (rows.some(hasPerson) ? [name] : []));
}

/** What each user of an account spent, by model, the users without their names. */
async function spentByUsers(id: string): Promise<unknown[]> {
  return rowsOf(
    `SELECT count(*)::integer AS events, sum(credits)::text AS credits,
            array_agg(DISTINCT dimensions ->> 'model') AS models
     FROM usage_record WHERE account_id = $1 GROUP BY dimensions ->> 'user' ORDER BY 2, 1`,
    [id],
  );
}

describe("tables", () => {
  const TEXTS = ["text", "jsonb", "json", "bytea", "text[]", "jsonb[]", "uuid[]"];

  test("each one that names accounts is exported or says why not, with every column of text", async () => {
    const columns = await rowsOf<{ table: string; name: string; type: string }>(
      `SELECT relname AS table, attname AS name, format_type(atttypid, NULL) AS type
       FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
         AND attnum > 0 AND NOT attisdropped`,
    );
    const byTable = Object.entries(Object.groupBy(columns, ({ table }) => table));
    const held = byTable.flatMap(([table, of = []]) =>
      of.some(({ name }) => /^account_ids?$/.test(name))
        ? [
            [
              table,
              of
                .filter(isText)
                .map(({ name }) => name)
                .sort(),
            ] as const,
          ]
        : [],
    );
    const listed = ACCOUNT_TABLES.map(({ table, erases = "", keeps = "" }) => {
      const names = `${erases} ${keeps}`.split(" ").filter((name) => name !== "");
      return [table, names.sort()] as const;
    });
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(held));
  });

  function isText({ name, type }: { name: string; type: string }): boolean {
    return name !== "account_id" && TEXTS.includes(type);
  }
});

describe("an account with personal values everywhere", () => {
  const ID = "personal";
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "privacy-"));
    await openPersonal(books, ID, usage);
    await plantTheRest(ID);
    await publishAll();
  });

  afterAll(() => rm(folder, { recursive: true }));

  test("is exported whole: every row of every table, and no secret", async () => {
    const file = join(folder, "personal.jsonl");
    const { code, stdout, stderr } = await run(`privacy export ${ID} --output ${file} --json`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, "utf8");
    const [begin, ...rest] = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const end = rest.pop();
    expect(begin).toEqual({ export: { account_id: ID, exported_at: expect.any(String) } });
    expect(end).toEqual({ end: { tables: EXPORTED_TABLES.length, rows: rest.length } });
    expect(JSON.parse(stdout)).toEqual({ account_id: ID, file, rows: rest.length });
    for (const { table, rows = "account_id = $1" } of EXPORTED_TABLES) {
      const count = `SELECT count(*)::integer AS count FROM ${table} WHERE ${rows}`;
      const [counted] = await rowsOf<{ count: number }>(count, [ID]);
      expect([table, rest.filter((line) => line.table === table).length]).toEqual([
        table,
        counted?.count,
      ]);
    }
    expect(text).not.toMatch(/secret_hash|pseudonym_key/);
    const account = rest.find(({ table }) => table === "account");
    expect(account.row).toMatchObject({ granted: expect.stringMatching(/^\d+$/) });
    const events = rest.filter(({ table }) => table === "usage_record").map(({ row }) => row);
    expect(events.map(({ event_id, dimensions }) => [event_id, dimensions.user])).toEqual([
      ["chat-1", PERSON],
      ["chat-2", OTHER_PERSON],
      ["chat-3", undefined],
      ["chat-4", PERSON],
    ]);
  });

  test("is exported to standard output; of one that does not exist nothing is", async () => {
    const { code, stdout } = await run(`privacy export ${ID}`);
    expect([code, stdout.split("\n").at(-2)]).toEqual([0, expect.stringMatching(/^\{"end":/)]);
    expect(await run("privacy export nobody")).toMatchObject({
      ...{ code: 1, stdout: "" },
      stderr: expect.stringContaining("no account nobody"),
    });
  });

  test("is erased: nothing personal is found, sums by value and everything proved stay", async () => {
    for (const { table, erases = "" } of ACCOUNT_TABLES) {
      for (const column of erases.split(" ").filter((name) => name !== "" && name !== "budgets")) {
        const query = `SELECT FROM ${table}
          WHERE account_id = $1 AND (to_jsonb(${column})::text LIKE '%' || $2 || '%'
                                     OR to_jsonb(${column})::text LIKE '%' || $3 || '%')`;
        const found = await books.database.query(query, [ID, PERSON, HEX]);
        expect([table, column, found.rowCount]).not.toEqual([table, column, 0]);
      }
    }
    const before = await spentByUsers(ID);
    const line = "SELECT granted, position, entries FROM account WHERE account_id = $1";
    const account = await rowsOf(line, [ID]);

    const { code, stdout, stderr } = await run(`privacy erase ${ID} --yes --json --by anna`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await whereFound()).toEqual([]);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ outcome: "erased", account_id: ID, asked_by: "anna", kept_dimensions: ["model"] },
      erased: {
        usage_page: 2,
        entry: 3,
        lot: 2,
        hold: 1,
        payment: 1,
        payment_method: 1,
        budget: 2,
      },
    });
    expect(await rowsOf("SELECT pseudonym_key FROM erasure")).toEqual([{ pseudonym_key: null }]);

    expect(await spentByUsers(ID)).toEqual(before);
    expect(await rowsOf(line, [ID])).toEqual(account);
    expect(await brokenInvariants(books.database)).toEqual([]);
    const explained = await run(`explain event chat-1 --account ${ID} --json`);
    expect(JSON.parse(explained.stdout)).toMatchObject({
      event_id: "chat-1",
      dimensions: { model: "large", user: expect.stringMatching(/^erased-[0-9a-f]{32}$/) },
    });
    const [auto] = await rowsOf("SELECT enabled FROM auto_top_up WHERE account_id = $1", [ID]);
    expect(auto).toEqual({ enabled: false });
    await publishAll();
  });

  test("erased once more, nothing is changed and the same is answered", async () => {
    const first = await run(`privacy erase ${ID} --yes --json`);
    const rows = await everyTable(books);
    const second = await run(`privacy erase ${ID} --yes --json --by somebody`);
    expect(JSON.parse(second.stdout)).toEqual(JSON.parse(first.stdout));
    expect(JSON.parse(first.stdout)).toMatchObject({ outcome: "already_erased", asked_by: "anna" });
    expect(await everyTable(books)).toEqual(rows);
  });

  test("what was done once is still done once", async () => {
    const outcome = await usage.debit([chatOf(ID, "chat-1", PERSON), chatOf(ID, "chat-2", "x")]);
    // The first is the event of before; the other one has another model.
    expect(outcome).toMatchObject({ metered: 0, repeats: 1, rejected: new Map([["conflict", 1]]) });
    const accountId = toAccountId(ID);
    const at = { accountId, now: Date.now(), by: "test" };
    expect(await takeCredits(books.database, at, DEDUCTION)).toMatchObject({
      kind: "already_exists",
    });
    expect((await grantCredits(books.database, accountId, GRANT, Date.now())).kind).toBe(
      "already_exists",
    );
    await books.database.query("DELETE FROM dead_letter WHERE dismissed_at IS NULL");
  });

  test("late usage is metered, and the next run of the scheduler erases what it brought", async () => {
    await usage.debit([chatOf(ID, "late", PERSON)]);
    expect(await whereFound()).toEqual(["usage_page", expect.any(String), "usage_record"]);
    await publishAll();
    expect(await Array.fromAsync(eraseAgain(books.database, Date.now()))).toEqual([true]);
    expect(await whereFound()).toEqual([]);
    expect(await brokenInvariants(books.database)).toEqual([]);
    expect(await rowsOf("SELECT sequence, asked_by, erased FROM erasure ORDER BY 1")).toEqual([
      { sequence: 1, asked_by: "anna", erased: expect.anything() },
      { sequence: 2, asked_by: "scheduler", erased: { usage_page: 1 } },
    ]);
    expect(await Array.fromAsync(eraseAgain(books.database, Date.now()))).toEqual([]);
    const dimensions = { user: PERSON };
    await changeHold(books, askedHold(ID, "late", 1n, { dimensions }));
    await changeHold(books, { kind: "release", accountId: toAccountId(ID), holdId: "late" });
    await publishAll();
    expect(await Array.fromAsync(eraseAgain(books.database, Date.now()))).toEqual([true]);
    expect(await whereFound()).toEqual([]);
  });
});

test("a dead letter about which nobody has decided keeps no late usage from being erased", async () => {
  await openPersonal(books, "lettered", usage);
  await publishAll();
  expect((await run("privacy erase lettered --yes")).code).toBe(0);
  const unknown = { ...chatOf("lettered", "unknown", "x"), meter: "no.such.meter" };
  await usage.debit([chatOf("lettered", "later", PERSON), unknown]);
  await publishAll();
  await books.database.query("UPDATE dead_letter SET published_at = now()");
  expect(await Array.fromAsync(eraseAgain(books.database, Date.now()))).toEqual([true]);
  expect(await whereFound()).toEqual([]);
  await books.database.query("DELETE FROM dead_letter WHERE account_id = 'lettered'");
});

test("killed on the way, it goes on with the same pseudonyms", async () => {
  await openPersonal(books, "killed", usage);
  await publishAll();
  // It rewrites usage first, and then waits for the hold.
  const lock = await books.database.connect();
  await lock.query("BEGIN; SELECT FROM hold WHERE account_id = 'killed' FOR UPDATE");
  const main = resolve(import.meta.dirname, "../../../services/cli/main.ts");
  const args = [main, ...words("privacy erase killed --yes")];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, DATABASE_URL: books.url },
    stdio: "inherit",
  });
  onTestFinished(() => lock.release(true));
  const exit = once(child, "exit");
  const users = (table: string) =>
    rowsOf<{ user: string }>(
      `SELECT DISTINCT dimensions ->> 'user' AS user FROM ${table}
       WHERE account_id = 'killed' AND dimensions ? 'user' ORDER BY 1`,
    );
  await eventually("usage is rewritten", async () =>
    (await users("usage_record")).every(({ user }) => user.startsWith("erased-")),
  );
  child.kill("SIGKILL");
  expect((await exit)[1]).toBe("SIGKILL");
  await lock.query("ROLLBACK");
  expect(await users("hold")).toEqual([{ user: PERSON }]);
  expect(await brokenInvariants(books.database, "killed")).toEqual([]);
  const pseudonyms = await users("usage_record");

  const { code, stdout } = await run("privacy erase killed --yes --json");
  expect([code, JSON.parse(stdout).outcome]).toEqual([0, "erased"]);
  expect(JSON.parse(stdout).erased).toMatchObject({ usage_page: 2, hold: 1 });
  expect(await whereFound()).toEqual([]);
  expect(await users("usage_record")).toEqual(pseudonyms);
  expect(pseudonyms).toEqual(expect.arrayContaining(await users("hold")));
  expect(await brokenInvariants(books.database, "killed")).toEqual([]);
});

describe("nothing is erased", () => {
  test("while a subscription runs and anything is under way: it says what", async () => {
    await openCatalogue(books);
    await openSubscriber(books, "busy", { at: Date.now() });
    await changeHold(books, askedHold("busy", "run", 1n));
    const rows = await everyTable(books);
    const { code, stderr } = await run("privacy erase busy --yes");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^busy cannot be erased yet: its subscription to hundred runs .*; 1 open hold .*; 1 open payment .*; \d+ unpublished records .*\n$/,
    );
    expect(await everyTable(books)).toEqual(rows);
  });

  test("without a yes, and of an account that does not exist", async () => {
    await openAccount(books, "quiet");
    expect(await run("privacy erase quiet")).toMatchObject({ code: 2, stdout: "" });
    expect(await run("privacy erase nobody --yes")).toMatchObject({ code: 1, stdout: "" });
    expect(await rowsOf("SELECT FROM erasure WHERE account_id = 'quiet'")).toEqual([]);
  });
});
