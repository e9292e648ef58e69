import { randomBytes } from "node:crypto";
import type { Producer } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFirstOffsets } from "../../services/scheduler/housekeeping.ts";
import { housekeepingRules } from "../../shared/core/history/retention.ts";
import { rateTable } from "../../shared/core/offer/rate-table.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { type DeadLetterPlace, placeText } from "../../shared/core/usage/dead-letter-place.ts";
import { type Encode, openEncoder } from "../../shared/kafka/codec/encoder.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { SCHEMAS } from "../../shared/kafka/codec/schemas.ts";
import { relayOutbox } from "../../shared/kafka/publish/outbox-relay.ts";
import { openPublisher, type Publisher } from "../../shared/kafka/publish/publisher.ts";
import { applyCatalogue } from "../../shared/ledger/catalogue/apply.ts";
import { dismissDeadLetter } from "../../shared/ledger/dead-letters/dismiss.ts";
import { listDeadLetters } from "../../shared/ledger/dead-letters/list.ts";
import { retryDeadLetter } from "../../shared/ledger/dead-letters/retry.ts";
import { keepHouse } from "../../shared/ledger/housekeeping/keep-house.ts";
import type { HousekeepingRun } from "../../shared/ledger/housekeeping/runs.ts";
import { countDeadLetters } from "../../shared/ledger/usage/dead-letters.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { prove } from "../reconcile/prove.ts";
import { type Books, openAccount, openBooks, setPrice, setRates } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { drawdown, words } from "../support/cli/drawdown.ts";
import { eventually } from "../support/eventually.ts";
import { rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";
import { startScheduler } from "../support/processes/scheduler-process.ts";
import type { ServiceProcess } from "../support/processes/service-process.ts";
import { superuserUrl } from "../support/stack/template.ts";

/**
 * Dead letters that are published again, through the real topic, metering and scheduler: each event is
 * metered once, or becomes a new dead letter.
 */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CREDIT = 1_000_000n;
const now = Date.now();
const kafka = testKafka();
const registry = openRegistry(readSettings(process.env).registry);

const PLACE = { line: 1, field: "meters.speech" };
const NOTHING_ELSE = { plans: new Map(), addOns: new Map(), creditPrices: new Map(), names: [] };

const NEVER = new AbortController().signal;
const DEAD_LETTER_RULES = housekeepingRules({
  deadLetters: { count: 1, unit: "month" },
  reconciliations: null,
  repeats: null,
  usage: null,
  webhooks: null,
}).filter(({ table }) => table === "dead_letter");

let giveTopicBack: () => Promise<void>;
let books: Books;
let encode: Encode;
let producer: Producer;
let publisher: Publisher;
let metering: MeteringProcess;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  // A third of a credit and a half, so that rounding shows.
  await setPrice(books, "call", CREDIT / 2n, 3n);
  encode = await openEncoder(registry, SCHEMAS.usageEvents);
  producer = await rawProducer(kafka);
  publisher = openPublisher(kafka, registry);
  metering = startMetering(env());
}, 300_000);

afterAll(async () => {
  await metering?.stop();
  await publisher?.close();
  await producer?.disconnect();
  await books?.close();
  await giveTopicBack?.();
});

describe("automatically", () => {
  let scheduler: ServiceProcess;

  beforeAll(() => {
    scheduler = startScheduler({ ...env(), SCHEDULER_CRON: "* * * * * *" });
  });
  afterAll(async () => {
    await scheduler.stop();
  });

  test("usage of an account that did not exist is metered once it does, exactly once", async () => {
    await publish({ accountId: "late", eventId: "first", quantity: 7n });
    const letter = await openLetterOf("late");
    expect(letter.reason).toBe("unknown_account");
    await someRuns(1);
    expect(await stateOf(letter)).toBe("open");

    await openAccount(books, "late", { lots: [{ credits: 10n * CREDIT }] });
    await untilMetered("late", "first");
    await someRuns(2);
    await untilCaughtUp(kafka, books.database);
    // 7 x 500,000 / 3; the rest is carried along.
    expect(await lineOf("late")).toEqual({ balance: 10n * CREDIT - 1_166_666n, records: 1 });
    expect(await stateOf(letter)).toBe("retried");
    expect(await lettersOf("late")).toHaveLength(1);
    expect(await countDeadLetters(books.database)).toEqual([]);
  });

  test("usage of a meter without a price is metered at the price at its instant, once one is set", async () => {
    await openAccount(books, "priced", { lots: [{ credits: 10n * CREDIT }] });
    const used = { accountId: "priced", meter: "minutes", quantity: 5n };
    await publish({ ...used, eventId: "before", occurredAt: now - 4 * HOUR });
    await publish({ ...used, eventId: "then", occurredAt: now - 2 * HOUR });
    await eventually("both are dead letters", async () => (await lettersOf("priced")).length === 2);
    expect((await lettersOf("priced")).map(({ reason }) => reason)).toEqual([
      "unknown_meter",
      "unknown_meter",
    ]);

    const from = new Date(now - 3 * HOUR).toISOString();
    const set = await command(`rate set minutes 0.25 --per 3 --from ${from}`);
    expect(set).toMatchObject({ code: 0 });
    await untilMetered("priced", "then");
    await someRuns(2);
    // 5 x 250,000 / 3; what occurred before the price began stays where it is.
    expect(await lineOf("priced")).toEqual({ balance: 10n * CREDIT - 416_666n, records: 1 });
    expect((await lettersOf("priced")).map(({ state }) => state).sort()).toEqual([
      "open",
      "retried",
    ]);
    await setPrice(books, "minutes", CREDIT, 1n, now - 5 * HOUR);
    await untilMetered("priced", "before");
    expect(await lineOf("priced")).toEqual({ balance: 5n * CREDIT - 416_666n, records: 2 });
  });

  test("usage before its meter's first price waits for one valid at its instant", async () => {
    await openAccount(books, "early", { lots: [{ credits: 10n * CREDIT }] });
    await setPrice(books, "pages", 5n * CREDIT, 1n, now - HOUR);
    await publish({
      accountId: "early",
      eventId: "early",
      meter: "pages",
      quantity: 1n,
      occurredAt: now - 2 * HOUR,
    });
    const letter = await openLetterOf("early");
    expect(letter.reason).toBe("no_price");
    await someRuns(2);
    expect(await stateOf(letter)).toBe("open");
    await setPrice(books, "pages", 2n * CREDIT, 1n, now - 3 * HOUR);
    await untilMetered("early", "early");
    expect(await lineOf("early")).toEqual({ balance: 8n * CREDIT, records: 1 });
  });

  test("usage that no rate by dimensions matches is not tried again and again", async () => {
    await openAccount(books, "unmatched");
    const rates = [{ patterns: ["one"], credits: CREDIT, per: 1n }];
    const named = { meter: "chat", validFrom: now - HOUR };
    const used = { accountId: "unmatched", eventId: "e", meter: "chat", quantity: 1n };
    await publish(used);
    expect((await openLetterOf("unmatched")).reason).toBe("unknown_meter");
    await setRates(books, [rateTable(named, { dimensions: ["model"], rates })]);
    await eventually("it was tried once", async () => (await lettersOf("unmatched")).length === 2);
    const letter = await openLetterOf("unmatched");
    expect(letter.reason).toBe("no_price");
    await someRuns(3);
    expect(await lettersOf("unmatched")).toHaveLength(2);
    expect(await stateOf(letter)).toBe("open");
  });

  test("usage that no rate matched is metered once its version is completed", async () => {
    await openAccount(books, "missing", { lots: [{ credits: 10n * CREDIT }] });
    const one = { patterns: ["one"], credits: CREDIT, per: 1n };
    const two = { patterns: ["two"], credits: 2n * CREDIT, per: 1n };
    const terms = { dimensions: ["model"], rates: [one] };
    await setRates(books, [rateTable({ meter: "speech", validFrom: now - HOUR }, terms)]);
    const used = { accountId: "missing", meter: "speech", quantity: 3n, occurredAt: now - MINUTE };
    await publish({ ...used, eventId: "two", dimensions: { model: "two" } });
    expect((await openLetterOf("missing")).reason).toBe("no_price");
    const asked = { from: null, terms: { ...terms, rates: [one, two] }, place: PLACE };
    const meters = new Map([["speech", [asked]]]);
    const catalogue = { ...NOTHING_ELSE, meters };
    expect(await applyCatalogue(books.database, catalogue, Date.now(), 5 * MINUTE)).toMatchObject({
      changes: { meters: [{ kind: "completed", validFrom: now - HOUR }] },
    });
    await untilMetered("missing", "two");
    expect(await lineOf("missing")).toEqual({ balance: 4n * CREDIT, records: 1 });
  });

  test("usage without account and price is metered when both exist", async () => {
    await publish({ accountId: "both", eventId: "e", meter: "frames", quantity: 3n });
    const first = await openLetterOf("both");
    await openAccount(books, "both");
    await eventually("it lacks a price now", async () => (await lettersOf("both")).length === 2);
    const second = await openLetterOf("both");
    expect([first.reason, second.reason]).toEqual(["unknown_account", "unknown_meter"]);
    await setPrice(books, "frames", CREDIT);
    await untilMetered("both", "e");
    await someRuns(2);
    expect(await lineOf("both")).toEqual({ balance: -3n * CREDIT, records: 1 });
    expect((await lettersOf("both")).map(({ state }) => state)).toEqual(["retried", "retried"]);
  });

  test("what was dismissed stays unmetered", async () => {
    await publish({ accountId: "unwanted", eventId: "e", quantity: 3n });
    const letter = await openLetterOf("unwanted");
    const dismissed = { at: Date.now(), by: "anna", reason: "a test" };
    expect(await dismissDeadLetter(books.database, letter, dismissed)).toEqual({
      kind: "dismissed",
    });
    await openAccount(books, "unwanted");
    await someRuns(3);
    await untilCaughtUp(kafka, books.database);
    expect(await lineOf("unwanted")).toEqual({ balance: 0n, records: 0 });
    expect(await stateOf(letter)).toBe("dismissed");
  });

  /** Waits until runs of the scheduler have begun and ended after this call. */
  async function someRuns(count: number): Promise<void> {
    const ended = () => scheduler.log.filter(({ msg }) => msg === "run").length;
    const before = ended();
    await eventually("the scheduler has run", () => ended() > before + count);
  }
});

describe("by hand", () => {
  test("an event older than 35 days is metered only as a retry", async () => {
    await openAccount(books, "old");
    const old = { accountId: "old", eventId: "e", quantity: 6n, occurredAt: now - 36 * DAY };
    await publish(old);
    const letter = await openLetterOf("old");
    expect(letter.reason).toBe("too_long_ago");
    await publish(old, { "retry-of": "yes" });
    await publish(old, { "retry-of": "billing.credits/0/1" });
    await eventually("neither is taken", async () => (await lettersOf("old")).length === 3);
    await retry(letter);
    await untilMetered("old", "e");
    expect(await lineOf("old")).toEqual({ balance: -CREDIT, records: 1 });
  });

  test("the header is believed only with the bytes of a letter whose retry was requested", async () => {
    await openAccount(books, "forged");
    const old = { accountId: "forged", quantity: 6n, occurredAt: now - 36 * DAY };
    await publish({ ...old, eventId: "retried" });
    const retried = await openLetterOf("forged");
    await retry(retried);
    await untilMetered("forged", "retried");
    await publish({ ...old, eventId: "waiting" });
    const waiting = await openLetterOf("forged");
    const claims: readonly { readonly eventId: string; readonly of: string }[] = [
      { eventId: "of no letter", of: "usage.events/0/999999999" },
      { eventId: "beyond all partitions", of: "usage.events/9999999999/0" },
      { eventId: "beyond all offsets", of: "usage.events/0/9999999999999999999" },
      { eventId: "of another letter", of: placeText(retried) },
      { eventId: "waiting", of: placeText(waiting) },
    ];
    for (const { eventId, of } of claims) await publish({ ...old, eventId }, { "retry-of": of });
    await publish({ ...old, eventId: "retried", quantity: 7n }, { "retry-of": placeText(retried) });
    await publish({ ...old, eventId: "retried" }, { "retry-of": placeText(retried) });
    await untilCaughtUp(kafka, books.database);
    expect(await lineOf("forged")).toEqual({ balance: -CREDIT, records: 1 });
    const reasons = (await lettersOf("forged")).map(({ reason }) => reason);
    expect(reasons).toEqual(Array.from({ length: 2 + claims.length + 1 }, () => "too_long_ago"));
  });

  test.each([
    { name: "further ahead than a price may still be set for", occurredAt: now + HOUR },
    { name: "before 1970", occurredAt: -1 },
    { name: "before the calendar of Postgres", occurredAt: -(2 ** 51) },
    { name: "after the calendar of JavaScript", occurredAt: 8.7e15 },
  ])(
    "an event that occurred $name stays a dead letter, and metering goes on",
    async ({ occurredAt }) => {
      const accountId = `when-${occurredAt}`;
      await openAccount(books, accountId);
      await publish({ accountId, eventId: "e", quantity: 6n, occurredAt });
      const letter = await openLetterOf(accountId);
      await retry(letter);
      const again = await openLetterOf(accountId);
      expect(again.reason).toBe(letter.reason);
      await publish({ accountId, eventId: "good", quantity: 6n });
      await untilMetered(accountId, "good");
      expect(await lineOf(accountId)).toEqual({ balance: -CREDIT, records: 1 });
    },
  );

  test("what still cannot be metered is a new open dead letter with the same bytes and key", async () => {
    await publish({ accountId: "nobody", eventId: "e", quantity: 1n });
    const letter = await openLetterOf("nobody");
    await retry(letter);
    const again = await openLetterOf("nobody");
    expect(again.offset === letter.offset && again.partition === letter.partition).toBe(false);
    expect(await stateOf(letter)).toBe("retried");
    const { rows } = await books.database.query(
      "SELECT DISTINCT key, payload FROM dead_letter WHERE account_id = 'nobody'",
    );
    expect(rows).toHaveLength(1);
    expect(await retryDeadLetter(books.database, again, Date.now())).toEqual({ kind: "asked" });
    await openLetterOf("nobody");
  });

  test("one that is now too large for Kafka is reopened with the reason, and delays no other", async () => {
    await openAccount(books, "beside");
    await publish({ accountId: "beside", eventId: "e", quantity: 6n, occurredAt: now - 40 * DAY });
    const letter = await openLetterOf("beside");
    await books.database.query(
      `INSERT INTO dead_letter (topic, kafka_partition, kafka_offset, account_id, reason, detail,
                                payload, recorded_at, retry_asked_at)
       VALUES ('usage.events', 1000, 0, 'large', 'malformed', '', $1, now(), now())`,
      [randomBytes(1_100_000)],
    );
    await retry(letter);
    await untilMetered("beside", "e");
    const { rows } = await books.database.query<{ retry_refused: string }>(
      "SELECT retry_refused FROM dead_letter WHERE account_id = 'large' AND retry_asked_at IS NULL",
    );
    expect(rows[0]?.retry_refused).toMatch(/the message is larger than Kafka accepts/);
    await books.database.query("DELETE FROM dead_letter WHERE account_id = 'large'");
  });

  test("retried five times concurrently, and by relays cut off before they mark it: metered once", async () => {
    await openAccount(books, "often", { lots: [{ credits: 10n * CREDIT }] });
    const old = { accountId: "often", quantity: 7n, occurredAt: now - 36 * DAY };
    await publish({ ...old, eventId: "one" });
    await publish({ ...old, eventId: "two" });
    await eventually("both are dead letters", async () => (await lettersOf("often")).length === 2);
    const letters = await lettersOf("often");
    // Its own relay would come first; what that has already published does not interfere.
    await eventually("both are told", async () => (await countUntold()) === 0);
    await metering.stop();
    const before = await countMessages();
    const askAll = () =>
      Promise.all(
        [...letters, ...letters, ...letters, ...letters, ...letters].map((letter) =>
          retryDeadLetter(books.database, letter, Date.now()),
        ),
      );
    expect((await askAll()).filter(({ kind }) => kind === "asked")).toHaveLength(2);
    const dies: Publisher = {
      ...publisher,
      async publish(records) {
        await publisher.publish(records);
        throw new Error("killed after Kafka's acknowledgement");
      },
    };
    for (let cut = 0; cut < 3; cut += 1) {
      await expect(relayOutbox(books.database, dies)).rejects.toThrow("killed after");
    }
    for (let again = 0; again < 4; again += 1) {
      await Promise.all([1, 2, 3].map(() => relayOutbox(books.database, publisher)));
      expect((await lettersOf("often")).map(({ state }) => state)).toEqual(["retried", "retried"]);
      expect((await askAll()).filter(({ kind }) => kind === "asked")).toHaveLength(2);
    }
    await relayOutbox(books.database, publisher);
    expect((await countMessages()) - before).toBe(2 * (3 + 4 + 1));

    metering = startMetering(env());
    await untilCaughtUp(kafka, books.database);
    expect(await lineOf("often")).toEqual({ balance: 10n * CREDIT - 2_333_333n, records: 2 });
    expect(await lettersOf("often")).toHaveLength(2);
  });
});

test("the books balance, and metering never stopped", async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
  expect(metering.log.filter(({ level }) => level === "fatal")).toEqual([]);
});

test("reconciling and replaying judge the retries as metering did", async () => {
  await untilCaughtUp(kafka, books.database);
  // Years after: while the topic has their messages, dead letters that were decided about stay.
  const decided = await lettersDecided();
  expect(decided).toBeGreaterThan(5);
  expect(await keepHouseYearsLater()).toEqual([{ table: "dead_letter", deleted: 0n }]);
  expect(await lettersDecided()).toBe(decided);
  expect((await prove(books)).differences).toEqual([]);
  const target = await openBooks();
  try {
    const replayed = await command(`replay --into ${superuserUrl(target.url)}`);
    expect(replayed.code, replayed.stderr).toBe(0);
  } finally {
    await target.close();
  }
});

function env(): NodeJS.ProcessEnv {
  return { ...process.env, DATABASE_URL: books.url };
}

function command(line: string) {
  return drawdown(words(line), { env: { DATABASE_URL: books.url } });
}

interface Used {
  readonly accountId: string;
  readonly eventId: string;
  readonly quantity: bigint;
  readonly meter?: string;
  readonly occurredAt?: number;
  readonly dimensions?: Readonly<Record<string, string>>;
}

async function publish(used: Used, headers: Record<string, string> = {}): Promise<void> {
  const {
    accountId,
    eventId,
    quantity,
    meter = "call",
    occurredAt = now - MINUTE,
    dimensions = {},
  } = used;
  const value = encode({
    ...{ event_id: eventId, account_id: accountId, meter, quantity, occurred_at: occurredAt },
    ...{ source: "test", dimensions },
  });
  const messages = [{ key: accountId, value, headers }];
  await producer.send({ topic: TOPICS.usageEvents, messages });
}

async function retry(letter: DeadLetterPlace): Promise<void> {
  expect(await retryDeadLetter(books.database, letter, Date.now())).toEqual({ kind: "asked" });
  await eventually("it is published again", async () => (await stateOf(letter)) === "retried");
}

async function lettersOf(accountId: string) {
  const asked = { reason: null, accountId, decided: true };
  return listDeadLetters(books.database, asked, { before: null, limit: 100 });
}

/** The open dead letter, once there is one. */
async function openLetterOf(accountId: string) {
  const open = async () => (await lettersOf(accountId)).filter(({ state }) => state === "open");
  await eventually(`${accountId} has an open dead letter`, async () => (await open()).length > 0);
  const [letter, ...more] = await open();
  if (letter === undefined || more.length > 0) throw new Error(`${accountId}: not one open letter`);
  return letter;
}

async function stateOf({ topic, partition, offset }: DeadLetterPlace): Promise<string> {
  const letters = await listDeadLetters(
    books.database,
    { reason: null, accountId: null, decided: true },
    { before: null, limit: 1000 },
  );
  const found = letters.find(
    (letter) =>
      letter.topic === topic && letter.partition === partition && letter.offset === offset,
  );
  return found?.state ?? "unknown";
}

async function untilMetered(accountId: string, eventId: string): Promise<void> {
  await eventually(`${eventId} of ${accountId} is metered`, async () => {
    const { rowCount } = await books.database.query(
      "SELECT FROM usage_record WHERE event_id = $2 AND account_id = $1",
      [accountId, eventId],
    );
    return rowCount === 1;
  });
}

async function lineOf(accountId: string): Promise<{ balance: bigint; records: number }> {
  const { rows } = await books.database.query<{ balance: string; records: number }>(
    `SELECT (granted - position)::text AS balance,
            (SELECT count(*)::integer FROM usage_record WHERE account_id = $1) AS records
     FROM account WHERE account_id = $1`,
    [accountId],
  );
  return { balance: BigInt(rows[0]?.balance ?? -1), records: rows[0]?.records ?? -1 };
}

async function lettersDecided(): Promise<number> {
  const all = { reason: null, accountId: null, decided: true };
  const letters = await listDeadLetters(books.database, all, { before: null, limit: 1000 });
  return letters.filter(({ state }) => state === "retried" || state === "dismissed").length;
}

/** Housekeeping of dead letters after three years, in which the topic has kept its messages. */
async function keepHouseYearsLater() {
  const later = Date.now() + 3 * 365 * DAY;
  const firstOffsets = await readFirstOffsets(kafka);
  const state = { now: later, completeUntil: later, firstOffsets };
  const done: Pick<HousekeepingRun, "table" | "deleted">[] = [];
  for await (const run of keepHouse(books.database, DEAD_LETTER_RULES, state, NEVER)) {
    done.push({ table: run.table, deleted: run.deleted });
  }
  return done;
}

async function countUntold(): Promise<number> {
  const { rowCount } = await books.database.query(
    "SELECT FROM dead_letter WHERE published_at IS NULL",
  );
  return rowCount ?? -1;
}

/** The number of usage messages so far. */
async function countMessages(): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ends = await admin.fetchTopicOffsets(TOPICS.usageEvents);
    return ends.reduce((sum, { high }) => sum + Number(high), 0);
  } finally {
    await admin.disconnect();
  }
}
