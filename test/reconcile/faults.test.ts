import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { type Books, copyBooks, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { setBudgetOf } from "../support/books/budgets.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import type { Usage } from "../support/books/usage-batches.ts";
import { offer } from "../support/cli/offer.ts";
import { topUp } from "../support/cli/pay.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { untilTold, whileMetering } from "./metered-books.ts";
import { prove, repairAll } from "./prove.ts";

/**
 * Books metered from a real topic are copied, one fault is planted in each copy by hand, and reconciling
 * must find it, name it, repair it to the micro-credit, and then find nothing.
 */
const kafka = testKafka();
const prefix = `faults-${randomBytes(4).toString("hex")}`;
const id = (name: string) => `${prefix}-${name}`;
const ACCOUNTS = ["ann", "ben", "cem", "dot"].map(id);
const ACME = id("ann");
const EVENTS = 40;
const PRICE = 1_500n;

let books: Books;
let publisher: UsagePublisher;
let giveBack: () => Promise<void>;

beforeAll(async () => {
  giveBack = await takeUsageTopic(kafka);
  publisher = await openUsagePublisher(kafka);
  books = await openBooks();
  await setPrice(books, "call", PRICE);
  await setPrice(books, "byte", 2n, 5n);
  await setPrice(books, "free", 0n);
  await books.database.query(
    "INSERT INTO credit_price VALUES ('USD', to_timestamp(0), 1000000, 'usual')",
  );
  await offer(books, { [id("plan")]: { credits: 5_000_000n } });
  for (const account of ACCOUNTS) {
    await openAccount(books, account, { lots: [{ credits: 100_000n }, { credits: 900_000n }] });
    await setBudgetOf(books, account, "model", { window: "all" });
  }
  await books.database.query(
    "INSERT INTO payment_method VALUES ($1, 'cus_test', 'pm_test', 'test', now())",
    [ACME],
  );
  await topUp(books, ACME, { amount: 1000n, key: id("bought") });
  const ending = { credits: 5_000n, expiresAt: OCCURRED - 10_000 };
  const at = OCCURRED - 60_000;
  await openAccount(books, id("eve"), { at, lots: [ending, { credits: 900_000n }] });
  await whileMetering(books, async () => {
    await publisher.publish(usage("first"));
    await untilCaughtUp(kafka, books.database);
    await grant("between", 250_000n);
    // Of an account without any, a topic that others have emptied could not tell that one is missing.
    const held = askedHold(ACME, "given back", 1n);
    for (const asked of [held, { ...held, kind: "release" } as const])
      await changeHold(books, asked);
    await publisher.publish([
      ...aroundAnExpiry(),
      ...usage("second"),
      ...usage("first").slice(0, 3),
      ...usage("first").slice(6, 7).map(fromAnotherSource),
      ...bytes("tiny"),
      wholeRequest(),
      { eventId: `${prefix}-first-5`, accountId: ACCOUNTS[1] ?? "", quantity: 77n },
      { eventId: `${prefix}-lost`, accountId: id("nobody"), quantity: 1n },
    ]);
    await untilCaughtUp(kafka, books.database);
    await untilTold(books);
  });
}, 120_000);

afterAll(async () => {
  await publisher?.close();
  await books?.close();
  await giveBack?.();
});

test("in good books everything is verified and nothing is reported", async () => {
  const { usage: counts, published, differences, more, cut } = await prove(books);
  expect(differences).toEqual([]);
  expect(more).toBe(0);
  expect(counts).toMatchObject({ messages: 2 * EVENTS + 17, metered: 2 * EVENTS + 12, repeats: 3 });
  expect(counts.deadLetters).toBe(2);
  expect(cut).toMatchObject({ isWhole: true, unread: 0n });
  expect(published?.records).toBeGreaterThan(0);
}, 60_000);

interface Fault {
  readonly plant: string;
  readonly finds: readonly string[];
  readonly repairs: readonly (string | null)[];
  /** By how much the account's balance is off before the repair; by nothing afterwards. */
  readonly offBy?: bigint;
}

const WHOLE = `event_id = '${prefix}-whole'`;
const FIRST = `event_id = '${prefix}-first-0'`;
/** An offset of the first event's partition without a metered event. */
const OF_A_REPEAT = `(
  SELECT min(later)
  FROM generate_series(first.kafka_offset, first.kafka_offset + 1000) AS later
  WHERE NOT EXISTS (SELECT FROM usage_record AS other
                    WHERE other.kafka_partition = first.kafka_partition AND other.kafka_offset = later)
    AND NOT EXISTS (SELECT FROM dead_letter AS letter
                    WHERE letter.kafka_partition = first.kafka_partition AND letter.kafka_offset = later))`;
const OF_ACME = `account_id = '${ACME}'`;

const FAULTS: Readonly<Record<string, Fault>> = {
  "a record is deleted": {
    plant: `DELETE FROM usage_record WHERE ${FIRST}`,
    finds: ["missing_record"],
    repairs: ["record_restored"],
  },
  "records that follow each other are deleted": {
    plant: `DELETE FROM usage_record WHERE event_id IN ('${prefix}-first-0', '${prefix}-first-4', '${prefix}-first-8')`,
    finds: ["missing_record", "missing_record", "missing_record"],
    repairs: ["record_restored", "record_restored", "record_restored"],
  },
  "of two records with the same id, one is deleted": {
    plant: `DELETE FROM usage_record WHERE event_id = '${prefix}-first-6' AND source = ''`,
    finds: ["missing_record"],
    repairs: ["record_restored"],
  },
  "of events that cost parts of a micro-credit, some are deleted": {
    plant: `DELETE FROM usage_record WHERE event_id IN ('${prefix}-tiny-1', '${prefix}-tiny-4', '${prefix}-tiny-6')`,
    finds: ["missing_record", "missing_record", "missing_record"],
    repairs: ["record_restored", "record_restored", "record_restored"],
  },
  "the record of late usage is deleted, which got back some of an expiry": {
    plant: `DELETE FROM usage_record WHERE event_id = '${prefix}-late'`,
    finds: ["missing_record"],
    repairs: ["record_restored"],
  },
  "the entry that gave late usage some of an expiry back is dropped": {
    plant: `DELETE FROM entry WHERE reference = 'late:${prefix}-late'`,
    finds: ["missing_entry"],
    repairs: ["entry_restored"],
  },
  "a record is doubled": {
    plant: `INSERT INTO usage_record SELECT event_id || '-again', account_id, meter, quantity, occurred_at,
              source, dimensions, credits, start_position, kafka_partition, kafka_offset, metered_at
            FROM usage_record WHERE ${FIRST}`,
    finds: ["extra_record"],
    repairs: ["record_removed"],
  },
  "an event of several meters is deleted": {
    plant: `DELETE FROM usage_record WHERE ${WHOLE}`,
    finds: ["missing_record"],
    repairs: ["record_restored"],
  },
  "one line of an event is deleted": {
    plant: `DELETE FROM usage_record WHERE ${WHOLE} AND meter = 'byte'`,
    finds: ["other_content"],
    repairs: ["record_corrected"],
  },
  "one line of an event is changed": {
    plant: `UPDATE usage_record SET quantity = quantity + 1 WHERE ${WHOLE} AND meter = 'free'`,
    finds: ["other_content"],
    repairs: ["record_corrected"],
  },
  "a line is added to an event": {
    plant: `INSERT INTO usage_record (event_id, account_id, meter, quantity, occurred_at, source, dimensions,
              credits, start_position, kafka_partition, kafka_offset, metered_at, version, place, page_start,
              page_version)
            SELECT event_id, account_id, 'byte', quantity, occurred_at, source, dimensions,
              0, start_position, kafka_partition, kafka_offset, metered_at, version, place + 1, page_start,
              page_version
            FROM usage_record WHERE ${FIRST}`,
    finds: ["other_content"],
    repairs: ["record_corrected"],
  },
  "one line of an event has another price": {
    plant: `UPDATE usage_record SET credits = credits + 5 WHERE ${WHOLE} AND meter = 'byte'`,
    finds: ["other_price"],
    repairs: ["record_corrected"],
  },
  "an event was metered twice": {
    plant: `
      INSERT INTO usage_record SELECT event_id || '-again', account_id, meter, quantity, occurred_at,
        source, dimensions, credits, position, kafka_partition, ${OF_A_REPEAT}, metered_at
      FROM usage_record AS first JOIN account USING (account_id) WHERE ${FIRST};
      UPDATE spend SET events = events + 1, credits = spend.credits + record.credits,
        quantity = spend.quantity + record.quantity
      FROM usage_record AS record WHERE record.${FIRST} AND spend.account_id = record.account_id;
      UPDATE budget_spend SET spent = spent + ${PRICE} WHERE ${OF_ACME};
      UPDATE account SET position = position + credits, version = account.version + 1
      FROM usage_record AS record
      WHERE record.${FIRST} AND record.account_id = account.account_id;
      INSERT INTO balance_change (account_ids) VALUES (ARRAY['${ACME}'])`,
    finds: ["extra_record"],
    repairs: ["reversal"],
    offBy: -PRICE * 1n,
  },
  "a price is changed in its record": {
    plant: `UPDATE usage_record SET credits = credits + 7 WHERE ${FIRST}`,
    finds: ["other_price"],
    repairs: ["record_corrected"],
  },
  "an event was metered at another price": {
    plant: `
      UPDATE usage_record SET credits = credits + 7
      WHERE ${OF_ACME} AND start_position = (SELECT max(start_position) FROM usage_record WHERE ${OF_ACME});
      UPDATE spend SET credits = credits + 7 WHERE ${OF_ACME};
      UPDATE budget_spend SET spent = spent + 7 WHERE ${OF_ACME};
      UPDATE account SET position = position + 7, version = version + 1 WHERE ${OF_ACME};
      INSERT INTO balance_change (account_ids) VALUES (ARRAY['${ACME}'])`,
    finds: ["other_price"],
    repairs: ["adjustment"],
    offBy: -7n,
  },
  "a record's content is changed": {
    plant: `UPDATE usage_record SET source = 'forged', quantity = quantity + 1 WHERE ${FIRST}`,
    finds: ["other_content"],
    repairs: ["record_corrected"],
  },
  "a record is moved to another account": {
    plant: `UPDATE usage_record SET account_id = '${id("ben")}' WHERE ${FIRST}`,
    finds: ["other_account"],
    repairs: ["record_corrected"],
  },
  "position is moved ahead": {
    plant: `UPDATE account SET position = position + 12345 WHERE ${OF_ACME}`,
    finds: ["position_moved"],
    repairs: ["position_restored"],
    offBy: -12345n,
  },
  "position is moved back": {
    plant: `UPDATE account SET position = position - 12345 WHERE ${OF_ACME}`,
    finds: ["position_moved"],
    repairs: ["position_restored"],
    offBy: 12345n,
  },
  "an entry is dropped": {
    plant: `DELETE FROM entry WHERE ${OF_ACME} AND lot_id = '${prefix}-between'`,
    finds: ["missing_entry"],
    repairs: ["entry_restored"],
  },
  "an entry says something else": {
    plant: `UPDATE entry SET reference = 'forged' WHERE ${OF_ACME} AND lot_id = '${prefix}-between'`,
    finds: ["other_entry"],
    repairs: ["entry_restored"],
  },
  "a top-up's lot is lost": {
    plant: `DELETE FROM lot WHERE ${OF_ACME} AND source = 'top_up' AND starts_with(lot_id, 'top-up:')`,
    finds: ["missing_lot"],
    repairs: ["lot_restored"],
  },
  "a dead letter is lost": {
    plant: "DELETE FROM dead_letter WHERE reason = 'conflict'",
    finds: ["not_kept"],
    repairs: ["dead_letter"],
  },
  "a published change of a payment is lost": {
    plant: `UPDATE payments_published SET records = records + 1 WHERE ${OF_ACME}`,
    finds: ["not_told"],
    repairs: [null],
  },
  "a published change of a hold is lost": {
    plant: `UPDATE account SET hold_changes = hold_changes + 1 WHERE ${OF_ACME}`,
    finds: ["not_told", "balance_not_told"],
    repairs: [null, "told_again"],
  },
  "published records are lost": {
    plant: `UPDATE account SET version = version + 1 WHERE ${OF_ACME}`,
    finds: ["balance_not_told"],
    repairs: ["told_again"],
  },
};

test.each(Object.entries(FAULTS))(
  "%s: found, named and repaired",
  async (_, fault) => {
    const copy = await copyBooks(books);
    try {
      await copy.database.query(fault.plant);
      const right = await stateOf(books);
      expect((await balanceOf(copy)) - (await balanceOf(books))).toBe(fault.offBy ?? 0n);
      const found = await prove(copy);
      expect(found.differences.map(({ kind }) => kind)).toEqual(fault.finds);
      expect(await repairAll(copy, found.differences)).toEqual(fault.repairs);
      expect(await balanceOf(copy)).toBe(await balanceOf(books));
      if (fault.offBy === undefined) expect(await stateOf(copy)).toEqual(right);
      expect(await brokenInvariants(copy.database)).toEqual([]);
      const again = await prove(copy);
      expect(again.differences.filter(({ kind }) => kind !== "not_told")).toEqual([]);
    } finally {
      await copy.close();
    }
  },
  60_000,
);

test("an event that was metered at both of its messages is named, although each has its record", async () => {
  const copy = await copyBooks(books);
  try {
    await copy.database.query(`
      INSERT INTO usage_record SELECT event_id, account_id, meter, quantity, occurred_at,
        source, dimensions, credits, position, kafka_partition, ${OF_A_REPEAT}, metered_at
      FROM usage_record AS first JOIN account USING (account_id) WHERE ${FIRST};
      UPDATE spend SET events = events + 1, credits = credits + ${PRICE}, quantity = quantity + 1
      WHERE ${OF_ACME};
      UPDATE budget_spend SET spent = spent + ${PRICE} WHERE ${OF_ACME};
      UPDATE account SET position = position + ${PRICE}, version = version + 1 WHERE ${OF_ACME};
      INSERT INTO balance_change (account_ids) VALUES (ARRAY['${ACME}'])`);
    const { differences, usage: counts } = await prove(copy);
    expect(counts.repeats).toBe(2);
    expect(differences).toEqual([
      expect.objectContaining({
        kind: "broken_invariant",
        accountId: ACME,
        holds: "no event is metered twice",
      }),
    ]);
  } finally {
    await copy.close();
  }
}, 60_000);

test("skipped offsets: their events are found, and metered", async () => {
  const copy = await copyBooks(books);
  try {
    const before = await balanceOf(copy);
    await publisher.publish(usage("skipped"));
    const admin = kafka.admin();
    await admin.connect();
    for (const { partition, high } of await admin.fetchTopicOffsets(TOPICS.usageEvents)) {
      await copy.database.query(
        "UPDATE consumer_offset SET next_offset = $2 WHERE kafka_partition = $1 AND consumer = 'metering'",
        [partition, high],
      );
    }
    await admin.disconnect();
    const found = await prove(copy);
    expect(found.differences.map(({ kind }) => kind)).toEqual(
      Array.from({ length: EVENTS }, () => "missing_record"),
    );
    expect(await repairAll(copy, found.differences)).toEqual(
      Array.from({ length: EVENTS }, () => "late_usage"),
    );
    await whileMetering(copy, () => untilRetried(copy));
    expect(await balanceOf(copy)).toBe(before - BigInt(EVENTS / ACCOUNTS.length) * PRICE);
    expect(await brokenInvariants(copy.database)).toEqual([]);
    expect((await prove(copy)).differences).toEqual([]);
  } finally {
    await copy.close();
  }
}, 90_000);

test.each([12_345n, -12_345n])(
  "position was moved by %s and metering continued: an entry corrects the difference",
  async (by) => {
    const [copy, right] = [await copyBooks(books), await copyBooks(books)];
    try {
      await copy.database.query(`UPDATE account SET position = position + ${by} WHERE ${OF_ACME}`);
      await publisher.publish(usage(`after-${by}`));
      for (const one of [copy, right]) {
        await whileMetering(one, () =>
          untilCaughtUp(kafka, one.database).then(() => untilTold(one)),
        );
      }
      const { differences } = await prove(copy);
      expect(differences).toMatchObject([{ kind: "position_moved", accountId: ACME, by }]);
      expect(await repairAll(copy, differences)).toEqual(["adjustment"]);
      const { rows } = await copy.database.query(
        "SELECT DISTINCT posted_by FROM entry WHERE reference LIKE 'repair:%'",
      );
      expect(rows).toEqual([{ posted_by: "test" }]);
      expect(await balanceOf(copy)).toBe(await balanceOf(right));
      expect(await brokenInvariants(copy.database)).toEqual([]);
      const again = await prove(copy);
      expect(again.differences.filter(({ kind }) => !kind.endsWith("told"))).toEqual([]);
    } finally {
      await copy.close();
      await right.close();
    }
  },
  90_000,
);

/** One event after the other, each account in turn. */
function usage(name: string) {
  return Array.from({ length: EVENTS }, (_, at) => ({
    eventId: `${prefix}-${name}-${at}`,
    accountId: ACCOUNTS[at % ACCOUNTS.length] ?? "",
    quantity: 1n,
    occurredAt: OCCURRED + at,
    dimensions: at % 3 === 0 ? { model: "gpt", b: "x" } : {},
  }));
}

/** One event of three meters, one of which costs nothing. */
function wholeRequest() {
  return {
    ...{ eventId: `${prefix}-whole`, accountId: id("cem"), quantity: 2n, occurredAt: OCCURRED },
    quantities: { free: 9n, byte: 11n },
  };
}

/** Eight events of 0.4 micro-credits each, so that every second or third draws one. */
function bytes(name: string) {
  return Array.from({ length: 8 }, (_, at) => ({
    ...{ eventId: `${prefix}-${name}-${at}`, accountId: id("dot"), meter: "byte", quantity: 1n },
    occurredAt: OCCURRED + at,
  }));
}

/** The first has the expiry of a lot posted; the second occurred before it, so that the lot pays for it. */
function aroundAnExpiry() {
  const used = { accountId: id("eve"), quantity: 1n };
  return [
    { ...used, eventId: `${prefix}-after`, occurredAt: OCCURRED },
    { ...used, eventId: `${prefix}-late`, occurredAt: OCCURRED - 20_000 },
  ];
}

const fromAnotherSource = (event: Usage) => ({ ...event, source: "another" });

const OCCURRED = Date.now() - 60_000;

async function grant(name: string, credits: bigint): Promise<void> {
  const asked = {
    lotId: id(name),
    credits,
    source: "promotion",
    reference: "",
    end: { kind: "never" },
  } as const;
  expect(await grantCredits(books.database, toAccountId(ACME), asked, Date.now())).toMatchObject({
    kind: "granted",
  });
}

async function untilRetried(of: Books): Promise<void> {
  await eventually("what is to be retried is published", async () => {
    const { rows } = await of.database.query<{ waiting: number }>(
      "SELECT count(*)::integer AS waiting FROM dead_letter WHERE retry_asked_at IS NOT NULL AND retried_at IS NULL",
    );
    return rows[0]?.waiting === 0;
  });
  await untilCaughtUp(kafka, of.database);
  await untilTold(of);
}

async function balanceOf({ database }: Books): Promise<bigint> {
  const { rows } = await database.query<{ balance: bigint }>(
    `SELECT granted - position AS balance FROM account WHERE ${OF_ACME}`,
  );
  return rows[0]?.balance ?? 0n;
}

/** Records, entries and lots, as text. */
async function stateOf({ database }: Books): Promise<string[]> {
  const { rows } = await database.query<{ row: string }>(`
    SELECT (to_jsonb(usage_record) - '{metered_at,version,place,page_start,page_version,page_place,page_first_at,page_last_at,page_partitions,page_first_offset,page_last_offset}'::text[])::text
      AS row FROM usage_record
    UNION ALL SELECT (to_jsonb(entry) - 'version')::text FROM entry
    UNION ALL SELECT to_jsonb(lot)::text FROM lot
    ORDER BY 1`);
  return rows.map(({ row }) => row);
}
