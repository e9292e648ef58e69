import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../../shared/kafka/codec/schemas.ts";
import {
  refuseRetry,
  takeDeadLettersToRetry,
} from "../../../shared/ledger/dead-letters/to-retry.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { markDeadLetters, storeDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import { readSettings } from "../../../shared/runtime/settings.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { type UsageFields, usageBytes, withSchemaId } from "../../support/kafka/usage-bytes.ts";
import { openPostgresProxy } from "../../support/processes/tcp-proxy.ts";

const AT = expect.stringMatching(/^\d{4}-.*Z$/);
const OCCURRED = Date.UTC(2026, 9, 1, 12);
const EVENT: UsageFields = {
  eventId: "call-17",
  accountId: "acme",
  meter: "call",
  quantity: 3n,
  occurredAt: OCCURRED,
  source: "chat-api",
  dimensions: [["model", "gpt-5\x1b[31m"]],
};

let books: Books;
let schemaId: number;

const run = (args: string | readonly string[], env: Record<string, string> = {}) =>
  drawdown(typeof args === "string" ? words(args) : args, {
    env: { DATABASE_URL: books.url, ...env },
  });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);
const places = async (line: string): Promise<string[]> =>
  (await json(line)).items.map(({ place }: { place: string }) => place);
const stateOf = async (place: string): Promise<string> =>
  (await json(`dead-letters show ${place}`)).state;

beforeAll(async () => {
  schemaId = await openRegistry(readSettings(process.env).registry).register(SCHEMAS.usageEvents);
  books = await openBooks();
  await setPrice(books, "call", 1_000_000n);
  await openAccount(books, "acme");
});
afterAll(() => books.close());

beforeEach(async () => {
  await books.database.query("DELETE FROM dead_letter");
});

describe("dead-letters list", () => {
  test("lists open dead letters, newest first", async () => {
    await bury({ offset: 7n, reason: "unknown_account", detail: "there is no account acme" });
    await bury({ offset: 3n, reason: "unreadable", accountId: null, at: 2_000 });
    expect(await json("dead-letters list")).toEqual({
      items: [
        {
          place: "usage.events/2/3",
          topic: "usage.events",
          partition: 2,
          offset: "3",
          account_id: null,
          reason: "unreadable",
          detail: "",
          recorded_at: "1970-01-01T00:00:02.000Z",
          state: "open",
        },
        expect.objectContaining({ place: "usage.events/2/7", account_id: "acme", state: "open" }),
      ],
      next_cursor: null,
    });
    expect((await run("dead-letters list")).stdout).toMatch(
      /^PLACE +REASON +ACCOUNT +RECORDED +STATE\nusage.events\/2\/3 +unreadable +unknown +1970-01-01T00:00:02.000Z +open\nusage.events\/2\/7 +unknown_account +acme +\S+Z +open +there is no account acme\n$/,
    );
  });

  test("of one reason or account, up to a limit, and with --all also closed ones", async () => {
    await bury({ offset: 1n, reason: "conflict", at: 1 });
    await bury({ offset: 2n, reason: "conflict", accountId: "other", at: 2 });
    await bury({ offset: 3n, reason: "no_price", at: 3 });
    const [first, second, third] = [1, 2, 3].map((offset) => `usage.events/2/${offset}`);
    expect(await places("dead-letters list --reason conflict")).toEqual([second, first]);
    expect(await places("dead-letters list --account acme")).toEqual([third, first]);
    expect(await places("dead-letters list --account acme --reason conflict")).toEqual([first]);
    expect(await json("dead-letters list --limit 2")).toMatchObject({
      next_cursor: expect.any(String),
    });
    expect((await run("dead-letters list --limit 2")).stdout).toMatch(
      /\nThere are more: --cursor \S+\n$/,
    );
    await run(["dead-letters", "dismiss", "2/2", "--why", "a test"]);
    await run("dead-letters retry 2/3");
    await publishAgain();
    expect(await places("dead-letters list")).toEqual([first]);
    expect(await places("dead-letters list --all")).toEqual([third, second, first]);
    expect((await json("status")).dead_letters).toEqual([{ reason: "conflict", count: 1 }]);
  });

  test("reports when there are none", async () => {
    expect(await run("dead-letters list")).toMatchObject({
      code: 0,
      stdout: "There are no such open dead letters.\n",
    });
    expect((await run("dead-letters list --all")).stdout).toBe("There are no such dead letters.\n");
    expect(await run("dead-letters list --reason nonsense")).toMatchObject({ code: 2 });
  });
});

describe("dead-letters show", () => {
  test("shows every column, and the event if it can be read", async () => {
    await bury({ offset: 1041n, reason: "unknown_account", detail: "there is no account acme" });
    const shown = await json("dead-letters show usage.events/2/1041");
    expect(shown).toEqual({
      place: "usage.events/2/1041",
      topic: "usage.events",
      partition: 2,
      offset: "1041",
      account_id: "acme",
      reason: "unknown_account",
      detail: "there is no account acme",
      recorded_at: AT,
      state: "open",
      meter: "call",
      occurred_at: new Date(OCCURRED).toISOString(),
      published_at: null,
      retry_asked_at: null,
      retry_asked_by: null,
      retried_at: null,
      retry_refused: null,
      dismissed_at: null,
      dismissed_by: null,
      dismissed_reason: null,
      key_base64: Buffer.from("acme").toString("base64"),
      payload_base64: eventBytes().toString("base64"),
      payload_size: null,
      payload_sha256: null,
      event: {
        event_id: "call-17",
        account_id: "acme",
        meter: "call",
        quantity: "3",
        occurred_at: new Date(OCCURRED).toISOString(),
        source: "chat-api",
        dimensions: { model: "gpt-5\x1b[31m" },
        quantities: {},
      },
      unreadable: null,
      metered: null,
    });
    const { stdout } = await run("dead-letters show 2/1041");
    expect(stdout).toMatch(
      /^dead letter +usage.events\/2\/1041\nstate +open\nreason +unknown_account\n/,
    );
    expect(stdout).toMatch(
      /\n\nevent +call-17\nof account +acme\nused +3 of call\noccurred +2026-10-01T12:00:00.000Z\nsource +chat-api\ndimensions +model=gpt-5\\u\{1b\}\[31m\nmetered +no\n$/,
    );
  });

  test("shows what was metered under the event's source and id", async () => {
    await bury({ offset: 1n, reason: "conflict", event: { eventId: "taken" } });
    const used = { eventId: "taken", accountId: "acme", meter: "call", quantity: 5n };
    await meterEvents(books, [
      { ...used, quantity: 7n },
      { ...used, source: "chat-api" },
    ]);
    expect((await json("dead-letters show 2/1")).metered).toEqual({
      credits: "5000000",
      metered_at: AT,
      partition: 0,
      offset: expect.any(String),
    });
    expect((await run("dead-letters show 2/1")).stdout).toMatch(
      /\nmetered +under this id, for 5 credits at \S+Z, read at partition 0, offset \d+\n$/,
    );
  });

  test("shows the bytes, up to a limit, if they contain no event", async () => {
    const payload = Buffer.concat([Buffer.from('{"n":\x1b[31m'), Buffer.alloc(700, 0xff)]);
    await bury({ offset: 1n, reason: "unreadable", accountId: null, payload });
    expect(await json("dead-letters show 2/1")).toMatchObject({
      event: null,
      unreadable: "the value does not start with a schema id",
      payload_base64: payload.toString("base64"),
    });
    const { stdout } = await run("dead-letters show 2/1");
    expect(stdout).toContain("unreadable  the value does not start with a schema id\n\n");
    expect(stdout).toContain(
      '00000000  7b 22 6e 22 3a 1b 5b 33 31 6d ff ff ff ff ff ff  |{"n":.[31m......|\n00000010  ff',
    );
    expect(stdout).toMatch(/\nand 198 more bytes: --json has all of them.\n$/);
    expect(stdout.split("\n")).toHaveLength(48);
  });

  test("shortens an event of a megabyte, and shows one whose time is out of range", async () => {
    const long = { dimensions: [["blob", "x".repeat(900_000)]] as const, occurredAt: 8.7e15 };
    await bury({ offset: 1n, reason: "malformed", event: long });
    const { stdout } = await run("dead-letters show 2/1");
    expect(stdout).toMatch(/\noccurred +out of range\n/);
    expect(stdout.length).toBeLessThan(2_000);
  });

  test("shows the bytes without the registry, and why", async () => {
    await bury({ offset: 1n, reason: "no_price" });
    const { code, stdout } = await run("dead-letters show 2/1", {
      SCHEMA_REGISTRY_URL: "http://127.0.0.1:1/apis",
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nunreadable +the schema registry at http:\S+ cannot be reached: .*\n/);
    expect(stdout).toContain("00000000  00 ");
  });

  test("refuses a place without a dead letter, and a malformed place", async () => {
    expect(await run("dead-letters show 2/9")).toEqual({
      code: 1,
      stdout: "",
      stderr: "there is no dead letter at usage.events/2/9 (drawdown dead-letters list)\n",
    });
    for (const place of ["acme", "2", "2/x", "2/-1", "99999999999/1", "2/9999999999999999999"]) {
      expect(await run(`dead-letters show ${place}`), place).toMatchObject({
        code: 2,
        stderr: `a dead letter is named like usage.events/2/1041 or 2/1041 (partition, offset), not "${place}"\n`,
      });
    }
  });
});

describe("dead-letters retry", () => {
  test("publishes a dead letter again, also one that was retried before", async () => {
    await bury({ offset: 1n, reason: "too_long_ago" });
    expect(await run("dead-letters retry 2/1")).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "Dead letter usage.events/2/1 will be published again.\n" +
        "To follow it: drawdown dead-letters show usage.events/2/1\n",
    });
    expect(await stateOf("2/1")).toBe("retrying");
    expect((await run("dead-letters retry 2/1")).stdout).toBe(
      "Dead letter usage.events/2/1 is waiting to be published again already; running services do it within seconds.\n",
    );
    expect(await publishAgain()).toBe(1);
    expect(await json("dead-letters show 2/1")).toMatchObject({
      state: "retried",
      retry_asked_at: AT,
      retry_asked_by: expect.any(String),
      retried_at: AT,
    });
    expect(await json("dead-letters retry usage.events/2/1")).toEqual({
      outcome: "asked",
      place: "usage.events/2/1",
    });
    expect(await publishAgain()).toBe(1);
  });

  test("publishes all of a reason again, or all", async () => {
    for (const offset of [1n, 2n, 3n]) await bury({ offset, reason: "conflict" });
    await bury({ offset: 4n, reason: "no_price" });
    await bury({ offset: 5n, reason: "unreadable", payload: Buffer.alloc(0) });
    await run(["dead-letters", "dismiss", "2/3", "--why", "a test"]);
    expect((await run("dead-letters retry --reason conflict")).stdout).toBe(
      "2 dead letters will be published again.\n",
    );
    expect(await json("dead-letters retry --all")).toEqual({
      outcome: "asked",
      asked: 1,
      asked_already: 2,
      without_bytes: 1,
      cut: 0,
    });
    expect((await run("dead-letters retry --all")).stdout).toBe(
      "0 dead letters will be published again.\n3 more are waiting for it already.\n" +
        "1 has no bytes to publish again: dismiss them.\n",
    );
    expect(await publishAgain()).toBe(3);
    expect(await stateOf("2/3")).toBe("dismissed");
    expect(await run("dead-letters retry --all")).toMatchObject({
      code: 1,
      stderr:
        "none of the open dead letters can be published again: 1 has no bytes; publish them from the topic, or dismiss them\n",
    });
  });

  test("a letter that was cut for its size is shown as such, and its retry is refused with the reason", async () => {
    await bury({ offset: 6n, reason: "unreadable", payload: Buffer.alloc(2 << 20) });
    expect((await run("dead-letters show 2/6")).stdout).toMatch(
      /2,?097,?152 bytes, of which the first 16,?384 bytes are kept; SHA-256 [0-9a-f]{64}/,
    );
    expect(await json("dead-letters show 2/6")).toMatchObject({
      payload_size: 2 << 20,
      payload_sha256: createHash("sha256")
        .update(Buffer.alloc(2 << 20))
        .digest("hex"),
    });
    expect(await run("dead-letters retry 2/6")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^dead letter usage.events\/2\/6 was cut: .* or dismiss it/),
    });
    expect(await run("dead-letters retry --all")).toMatchObject({
      code: 1,
      stderr:
        "none of the open dead letters can be published again: 1 was too large to be kept whole; publish them from the topic, or dismiss them\n",
    });
  });

  test("retries more than fit into one transaction", async () => {
    await books.database.query(
      `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, reason, detail, payload, recorded_at)
       SELECT 'usage.events', 3, at, 'conflict', '', 'x', to_timestamp(at % 7)
       FROM generate_series(1, 12345) AS at`,
    );
    expect(await json("dead-letters retry --reason conflict")).toMatchObject({ asked: 12_345 });
    expect(
      await json("dead-letters dismiss --reason conflict --why tests --by anna"),
    ).toMatchObject({ dismissed: 12_345 });
  });

  test("shows why Kafka refused it, and retries it again", async () => {
    await bury({ offset: 1n, reason: "too_long_ago" });
    await run("dead-letters retry 2/1");
    await inTransaction(books.database, async (transaction) => {
      for (const letter of await takeDeadLettersToRetry(transaction, 10)) {
        await refuseRetry(transaction, letter, "It is too large.");
      }
    });
    expect((await run("dead-letters show 2/1")).stdout).toMatch(
      /\nstate +open; not retried: It is too large.\n/,
    );
    expect(await json("dead-letters retry 2/1")).toMatchObject({ outcome: "asked" });
    expect(await json("dead-letters show 2/1")).toMatchObject({ retry_refused: null });
  });

  test.each([
    [
      "there is none at the place",
      "2/99",
      "there is no dead letter at usage.events/2/99 (drawdown dead-letters list)",
    ],
    [
      "it was dismissed",
      "2/1",
      /^dead letter usage.events\/2\/1 was dismissed by anna at \S+Z: not ours$/,
    ],
    [
      "messages were lost",
      "2/2",
      "dead letter usage.events/2/2 has no bytes to publish again (offsets 1 to 2 were deleted); dismiss it (drawdown dead-letters dismiss)",
    ],
    ["none is open", "--reason conflict", "no dead letter of reason conflict waits for a decision"],
  ] as const)("refuses when %s", async (_, which, sentence) => {
    await bury({ offset: 1n, reason: "conflict" });
    await run(["dead-letters", "dismiss", "2/1", "--why", "not ours", "--by", "anna"]);
    const detail = "offsets 1 to 2 were deleted";
    await bury({ offset: 2n, reason: "lost_to_retention", detail, payload: Buffer.alloc(0) });
    const { code, stdout, stderr } = await run(`dead-letters retry ${which}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trimEnd()).toMatch(sentence);
  });

  test.each(["", "2/1 --all", "2/1 --reason conflict", "--all --reason conflict"])(
    "is wrong usage unless it says which: retry %s",
    async (which) => {
      expect(await run(`dead-letters retry ${which}`)).toMatchObject({
        code: 2,
        stderr: "name one dead letter, or --reason or --all\n",
      });
    },
  );
});

describe("dead-letters dismiss", () => {
  test("records who dismissed it and why; it is not retried any more", async () => {
    await bury({ offset: 1n, reason: "conflict" });
    await run("dead-letters retry 2/1");
    const args = ["dead-letters", "dismiss", "2/1", "--why", "sent by a test", "--by", "anna"];
    expect(await run(args)).toEqual({
      code: 0,
      stderr: "",
      stdout: "Dead letter usage.events/2/1 is dismissed and will not be metered.\n",
    });
    expect(await publishAgain()).toBe(0);
    expect(await json("dead-letters show 2/1")).toMatchObject({
      state: "dismissed",
      dismissed_at: AT,
      dismissed_by: "anna",
      dismissed_reason: "sent by a test",
      retry_asked_at: null,
    });
    expect(await run(args)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ was dismissed by anna at \S+Z: sent by a test\n$/),
    });
  });

  test("all of a reason, and no other", async () => {
    for (const offset of [1n, 2n]) await bury({ offset, reason: "conflict" });
    await bury({ offset: 3n, reason: "no_price" });
    expect(await json("dead-letters dismiss --reason conflict --why tests --by anna")).toEqual({
      outcome: "dismissed",
      dismissed: 2,
      dismissed_by: "anna",
      dismissed_reason: "tests",
    });
    expect(await places("dead-letters list")).toEqual(["usage.events/2/3"]);
    expect(await run("dead-letters dismiss --reason conflict --why tests")).toMatchObject({
      code: 1,
      stderr: "no dead letter of reason conflict waits for a decision\n",
    });
  });

  test("refuses a retried one, and a place without a dead letter", async () => {
    await bury({ offset: 1n, reason: "conflict" });
    await run("dead-letters retry 2/1");
    await publishAgain();
    expect(await run("dead-letters dismiss 2/1 --why tests")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^dead letter usage.events\/2\/1 was published again at \S+Z; if that became a dead letter, dismiss the new one\n$/,
      ),
    });
    expect(await run("dead-letters dismiss 2/9 --why tests")).toMatchObject({ code: 1 });
  });

  test("is wrong usage without --why, or without a selection", async () => {
    expect(await run("dead-letters dismiss 2/1")).toMatchObject({ code: 2 });
    expect(await run(["dead-letters", "dismiss", "2/1", "--why", " "])).toMatchObject({
      code: 2,
      stderr: "--why is empty; give a reason for the record\n",
    });
    expect(await run("dead-letters dismiss --why tests")).toMatchObject({
      code: 2,
      stderr: "name one dead letter, or --reason\n",
    });
  });
});

test("a lost answer: running it again has the same result", async () => {
  await bury({ offset: 1n, reason: "conflict" });
  const proxy = await openPostgresProxy(books.url);
  try {
    const lost = proxy.catchNext(({ sql }) => sql === "COMMIT", "lose the answer");
    const ran = await run("dead-letters retry 2/1", { DATABASE_URL: proxy.url });
    await lost;
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^Postgres at \S+ was lost .*\n$/);
  } finally {
    await proxy.close();
  }
  expect(await json("dead-letters retry 2/1")).toMatchObject({ outcome: "asked_already" });
});

interface Buried {
  readonly offset: bigint;
  readonly reason: DeadLetterReason;
  readonly detail?: string;
  readonly accountId?: string | null;
  readonly at?: number;
  readonly event?: Partial<UsageFields>;
  /** Default: those of the event. */
  readonly payload?: Buffer;
}

/** Leaves a dead letter of partition 2 as metering does. */
async function bury(buried: Buried): Promise<void> {
  const { offset, reason, detail = "", accountId = "acme", at = 1_000, event, payload } = buried;
  await inTransaction(books.database, (transaction) =>
    storeDeadLetters(transaction, [
      {
        ...{ topic: TOPICS.usageEvents, partition: 2, offset, accountId },
        ...{ meter: "call", occurredAt: OCCURRED },
        ...{ rejection: { reason, detail }, key: Buffer.from("acme") },
        ...{ payload: payload ?? eventBytes(event), recordedAt: at },
      },
    ]),
  );
}

function eventBytes(event: Partial<UsageFields> = {}): Buffer {
  return withSchemaId(schemaId, usageBytes({ ...EVENT, ...event }));
}

/** Does what the relay does once Kafka has acknowledged; returns the number of records. */
async function publishAgain(): Promise<number> {
  return inTransaction(books.database, async (transaction) => {
    const letters = await takeDeadLettersToRetry(transaction, 100);
    await markDeadLetters(transaction, letters, "retried");
    return letters.length;
  });
}
