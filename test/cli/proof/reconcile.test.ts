import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { resolve } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { TOPICS, USAGE_READER } from "../../../shared/core/text/topics.ts";
import { readOffsets } from "../../../shared/ledger/books/consumer-offset.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { countRecordsBelow } from "../../../shared/ledger/proof/count-records-below.ts";
import { untilTold, whileMetering } from "../../reconcile/metered-books.ts";
import {
  type Books,
  copyBooks,
  openAccount,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { openTerminal } from "../../support/cli/terminal.ts";
import { testKafka } from "../../support/kafka/kafka.ts";
import { openUsagePublisher } from "../../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../../support/kafka/usage-topic.ts";

const kafka = testKafka();
const ACCOUNT = `reconcile-${randomBytes(4).toString("hex")}`;
const EVENTS = 30;

let books: Books;
let giveBack: () => Promise<void>;

beforeAll(async () => {
  giveBack = await takeUsageTopic(kafka);
  const publisher = await openUsagePublisher(kafka);
  books = await openBooks();
  await setPrice(books, "call", 1_000_000n);
  await openAccount(books, ACCOUNT, { lots: [{ credits: 100_000_000n }] });
  await whileMetering(books, async () => {
    await publisher.publish(
      Array.from({ length: EVENTS }, (_, at) => {
        return { eventId: `${ACCOUNT}-${at}`, accountId: ACCOUNT, quantity: 1n };
      }),
    );
    await untilCaughtUp(kafka, books.database);
    await untilTold(books);
  });
  await publisher.close();
}, 60_000);

afterAll(async () => {
  await books?.close();
  await giveBack?.();
});

function run(command: string, of: Pick<Books, "url"> = books, env = {}) {
  return drawdown(["reconcile", ...words(command)], { env: { DATABASE_URL: of.url, ...env } });
}

test("good books: what was verified, and exit code 0", async () => {
  const { code, stdout, stderr } = await run("");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain("30 of 30 messages: 30 metered, 0 repeats, 0 dead letters");
  expect(stdout).toContain("30 of 30 used");
  expect(stdout).toContain("100 % of events and 100 % of credits verified, no differences.");
});

test("a difference: exit code 1, with where it is and its repair; once repaired it is gone", async () => {
  const copy = await copyBooks(books);
  try {
    await copy.database.query("DELETE FROM usage_record WHERE event_id = $1", [`${ACCOUNT}-3`]);
    const before = await everyTable(copy);
    const found = await run("--json", copy);
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stderr).error).toBe("topics and books differ: 1 difference");
    expect(JSON.parse(found.stdout)).toMatchObject({
      events: { messages: "30", verified: "29" },
      credits: { all: "30000000", verified: "29000000" },
      differences: [
        {
          ...{ kind: "missing_record", id: `missing_record:${ACCOUNT}-3`, account_id: ACCOUNT },
          repair: { what: "record_restored", credits: "0" },
        },
      ],
    });
    const shown = await run("", copy);
    expect(shown.stdout).toContain("96.66 % of events and 96.66 % of credits verified");

    expect(await run("--repair", copy)).toMatchObject({
      code: 2,
      stderr: "--repair asks before it posts; without a terminal, add --yes\n",
    });
    const terminal = openTerminal("reconcile --repair", { DATABASE_URL: copy.url });
    await terminal.shows("Post 1 repair? [yes/no]");
    terminal.type("\x03");
    expect(await terminal.ended).toBe(1);
    expect(terminal.output()).toContain("interrupted; nothing was changed");
    expect(await everyTable(copy)).toEqual(before);

    const repaired = await run("--repair --yes --by tester --json", copy);
    expect(repaired.code).toBe(0);
    expect(JSON.parse(repaired.stdout)).toMatchObject({ repaired: 1, left: 0 });
    const { rows } = await copy.database.query("SELECT difference, repaired_by, what FROM repair");
    expect(rows).toEqual([
      { difference: `missing_record:${ACCOUNT}-3`, repaired_by: "tester", what: "record_restored" },
    ]);
    expect((await run("", copy)).code).toBe(0);
  } finally {
    await copy.close();
  }
});

test("names a charge at the gateway that the books do not have, and up to when charges were compared", async () => {
  const copy = await copyBooks(books);
  try {
    await copy.database.query(
      `INSERT INTO unmatched_charge VALUES ('stripe', 'pi_1', $1, 'manual:lost', 1000, 'USD', now())`,
      [ACCOUNT],
    );
    await copy.database.query("INSERT INTO charge_check VALUES ('stripe', '2026-11-01T12:00:00Z')");
    const found = await run("", copy);
    expect(found.code).toBe(1);
    expect(found.stdout).toContain("compared up to 2026-11-01T12:00:00.000Z");
    expect(found.stdout).toContain(
      "charge pi_1 of 10.00 USD at the gateway is for payment manual:lost, which is missing from the books\n    repair: by hand",
    );
    const asJson = await run("--json", copy);
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      charges_compared_to: "2026-11-01T12:00:00.000Z",
      differences: [{ kind: "unmatched_charge", id: "unmatched_charge:pi_1", repair: null }],
    });
    // Whoever was paid through no gateway has no charges there.
    expect((await run("", books)).stdout).not.toContain("gateway");
  } finally {
    await copy.close();
  }
});

test("only an account, a partition or a range: compares that, and shows what was not compared", async () => {
  const one = await run(`--account ${ACCOUNT} --json`);
  expect(JSON.parse(one.stdout).events).toMatchObject({ messages: "30", metered: 30 });
  await openAccount(books, "idle");
  const other = await run("--account idle --json");
  expect(JSON.parse(other.stdout).events).toMatchObject({ messages: "0" });
  const { ranges } = JSON.parse(one.stdout) as {
    ranges: { partition: number; from: string; to: string }[];
  };
  const used = ranges.find(({ from, to }) => from !== to);
  const from = BigInt(used?.from ?? 0);
  const part = await run(
    `--partition ${used?.partition} --from ${from + 10n} --to ${from + 15n} --json`,
  );
  expect(part.code).toBe(0);
  expect(JSON.parse(part.stdout)).toMatchObject({
    events: { messages: "5", verified: "5" },
    not_verified: { books_among_each_other: true },
  });
  const recent = await run("--from 2020-01-01T00:00:00Z --json");
  expect(JSON.parse(recent.stdout).events).toMatchObject({ messages: "30", verified: "30" });
});

test.each([
  ["--from 10 --to 5", 2, "--from 10 is not before --to 5"],
  ["--from yesterday", 2, "--from must be an offset like 1041 or an instant"],
  ["--partition x", 2, "--partition must be a whole number of at least 0"],
  ["--yes", 2, "--yes goes with --repair"],
  ["--partition 99", 1, "usage.events has no partition 99"],
  ["--account nobody", 1, "there is no account nobody"],
  ["--from 999999999", 1, "nothing lies between --from and --to; available:"],
  ["--from 2999-01-01T00:00:00Z", 1, "nothing lies between --from and --to"],
])("%s is refused in one sentence, and nothing is changed", async (command, code, sentence) => {
  const before = await everyTable(books);
  const ran = await run(command);
  expect(ran).toMatchObject({ code, stdout: "" });
  expect(ran.stderr).toContain(sentence);
  expect(ran.stderr.trim().split("\n")).toHaveLength(1);
  expect(await everyTable(books)).toEqual(before);
});

test("the topic of other books, a database of something else, a server that is down", async () => {
  const copy = await copyBooks(books);
  try {
    await copy.database.query("UPDATE consumer_offset SET next_offset = next_offset + 1000000");
    const foreign = await run("", copy);
    expect(foreign).toMatchObject({ code: 1, stdout: "" });
    expect(foreign.stderr).toContain("this is not the topic that the books were kept from");
    await copy.database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    const empty = await run("", copy);
    expect(empty.code).toBe(1);
    expect(empty.stderr).toContain("does not have the tables of this version");
  } finally {
    await copy.close();
  }
  const silent = createTcpServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const nobody = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const at = "127.0.0.1:1";
  const away = await Promise.all([
    run("", books, { KAFKA_BROKERS: at }),
    run("", books, { KAFKA_BROKERS: nobody }),
    run("", books, { SCHEMA_REGISTRY_URL: "http://a:secret@127.0.0.1:65535/api" }),
  ]);
  silent.close();
  expect(away.map(({ code }) => code)).toEqual([1, 1, 1]);
  expect(away.map(({ stderr }) => stderr)).toEqual([
    `Kafka at ${at} cannot be reached: Connection error: connect ECONNREFUSED ${at}\n`,
    `Kafka at ${nobody} cannot be reached: no answer within 3 s\n`,
    "the schema registry at http://127.0.0.1:65535/api cannot be used: connect ECONNREFUSED 127.0.0.1:65535\n",
  ]);
}, 60_000);

test("a registry that has lost a schema: names it, and invents no difference", async () => {
  const forgetful = createServer((_, response) => {
    response.writeHead(404, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ error_code: 40403, message: "Schema not found" }));
  });
  forgetful.listen(0, "127.0.0.1");
  await once(forgetful, "listening");
  const { port } = forgetful.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const lost = await run("", books, { SCHEMA_REGISTRY_URL: url });
  forgetful.close();
  expect(lost).toMatchObject({ code: 1, stdout: "" });
  expect(lost.stderr).toMatch(/the registry has no schema \d+, but the message of usage\.events/);
});

test("interrupted: nothing is changed", async () => {
  const before = await everyTable(books);
  // Holds what reconciling reads, so that it is under way when it is interrupted.
  const holder = new pg.Client({ connectionString: books.url });
  await holder.connect();
  await holder.query("BEGIN; LOCK TABLE entry IN ACCESS EXCLUSIVE MODE");
  const main = resolve(import.meta.dirname, "../../../services/cli/main.ts");
  const child = spawn(process.execPath, [main, "reconcile"], {
    env: { ...process.env, DATABASE_URL: books.url },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((done) => setTimeout(done, 3_000));
  child.kill("SIGINT");
  await holder.query("ROLLBACK");
  await holder.end();
  const [code] = await once(child, "exit");
  expect({ code, said }).toEqual({ code: 1, said: "interrupted; nothing was changed\n" });
  expect(await everyTable(books)).toEqual(before);
}, 30_000);

test("past the topic's retention: shows exactly what could not be verified, and verifies the rest", async () => {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(TOPICS.usageEvents);
  const used = offsets.find(({ low, high }) => low !== high);
  await admin.deleteTopicRecords({
    topic: TOPICS.usageEvents,
    partitions: [
      { partition: used?.partition ?? 0, offset: (BigInt(used?.low ?? 0) + 12n).toString() },
    ],
  });
  await admin.disconnect();
  const { code, stdout } = await run("");
  expect(code).toBe(0);
  expect(stdout).toContain("18 of 30 messages");
  expect(stdout).toContain(
    "Not verified: 12 records of 12 credits, whose messages are past the topic's retention",
  );
  expect(stdout).toContain("60.00 % of events and 60.00 % of credits verified, no differences.");
});

test("--json has exact totals of accounts that together exceed 64 bits", async () => {
  const publisher = await openUsagePublisher(kafka);
  const accounts = [1, 2, 3].map((number) => `${ACCOUNT}-big-${number}`);
  await setPrice(books, "unit", 1n);
  for (const account of accounts) await openAccount(books, account);
  await whileMetering(books, async () => {
    await publisher.publish(
      accounts.map((accountId) => {
        return { eventId: accountId, accountId, meter: "unit", quantity: MAX_BIGINT };
      }),
    );
    await untilCaughtUp(kafka, books.database);
    await untilTold(books);
  });
  await publisher.close();
  const all = 3n * MAX_BIGINT + 30_000_000n;
  const { code, stdout } = await run("--json");
  expect(code).toBe(0);
  const { credits, not_verified } = JSON.parse(stdout);
  expect(credits.all).toBe(`${all}`);
  // The topic has dropped the messages of a few.
  expect(BigInt(credits.verified) + BigInt(not_verified.past_retention_credits)).toBe(all);
  expect(BigInt(credits.verified)).toBeGreaterThan(3n * MAX_BIGINT);

  const ranges = new Map(
    [...(await readOffsets(books.database, USAGE_READER))].map(([partition, to]) => {
      return [partition, { from: 0n, to }] as const;
    }),
  );
  const below = await inTransaction(books.database, (transaction) =>
    countRecordsBelow(transaction, ranges, null),
  );
  expect(below.credits).toBe(all);
}, 60_000);
