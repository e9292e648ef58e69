import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { readRanges } from "../../shared/kafka/consume/read-ranges.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { eraseAccount } from "../../shared/ledger/privacy/erase-account.ts";
import { eraseAgain } from "../../shared/ledger/privacy/erase-again.ts";
import { untilTold, whileMetering } from "../reconcile/metered-books.ts";
import { prove } from "../reconcile/prove.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { setBudgetOf } from "../support/books/budgets.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import {
  chatOf,
  GRANT,
  OTHER_PERSON,
  openChat,
  PERSON,
} from "../support/books/personal-account.ts";
import { drawdown } from "../support/cli/drawdown.ts";
import { everyTable } from "../support/cli/every-table.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { superuserUrl } from "../support/stack/template.ts";

/**
 * An account is erased while the topics still have what it was:
 *
 * - topics and books agree, before and after, also where one event comes again
 * - what is published from then on has nothing personal, and the newest balance has no budgets
 * - books that are built again are equal, and have nothing personal once the scheduler has run on them
 */
const kafka = testKafka();
const ID = `erased-${randomBytes(4).toString("hex")}`;
const accountId = toAccountId(ID);

let giveBack: () => Promise<void>;
let books: Books;
let publisher: UsagePublisher;

beforeAll(async () => {
  giveBack = await takeUsageTopic(kafka);
  books = await openBooks();
  publisher = await openUsagePublisher(kafka);
  await openChat(books);
  await openAccount(books, ID);
  await grantCredits(books.database, accountId, GRANT, Date.now());
  await setBudgetOf(books, ID, "user", { value: PERSON });
  const events = [chatOf(ID, "1", PERSON), chatOf(ID, "2", OTHER_PERSON, "small")];
  await meter(events);
}, 60_000);

afterAll(async () => {
  await publisher?.close();
  await books?.close();
  await giveBack?.();
});

async function meter(events: Parameters<UsagePublisher["publish"]>[0]): Promise<void> {
  await whileMetering(books, async () => {
    await publisher.publish(events);
    await untilCaughtUp(kafka, books.database);
    await untilTold(books);
  });
}

const TOLD = Object.values(TOPICS).filter((topic) => topic.startsWith("billing."));

/** Where the topics end, or begin: other tests delete what they have. */
async function offsetsOfTopics(place: "low" | "high") {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ends = new Map<string, Map<number, bigint>>();
    for (const topic of TOLD) {
      const offsets = await admin.fetchTopicOffsets(topic);
      ends.set(topic, new Map(offsets.map((each) => [each.partition, BigInt(each[place])])));
    }
    return ends;
  } finally {
    await admin.disconnect();
  }
}

type Offsets = Awaited<ReturnType<typeof offsetsOfTopics>>;

/** What was published about the account between two looks at the topics, as far as it is still there. */
async function toldBetween(since: Offsets, to: Offsets): Promise<string[]> {
  const told: string[] = [];
  const lows = await offsetsOfTopics("low");
  for (const topic of TOLD) {
    const ranges = new Map(
      [...(to.get(topic) ?? [])].flatMap(([partition, end]) => {
        const from = [since, lows].map((offsets) => offsets.get(topic)?.get(partition) ?? 0n);
        const range = { from: from.reduce((a, b) => (a > b ? a : b)), to: end };
        return range.from < range.to ? [[partition, range] as const] : [];
      }),
    );
    await readRanges(kafka, {
      ...{ topic, ranges, signal: new AbortController().signal },
      onBatch: async ({ messages }) => {
        for (const { key, value } of messages) {
          if (key?.toString() === ID) told.push(`${topic} ${value?.toString("latin1")}`);
        }
      },
    });
  }
  return told;
}

async function hasPerson(of: Books): Promise<boolean> {
  return JSON.stringify(await everyTable(of)).includes(PERSON);
}

test("topics and books agree, and what is told from then on has nothing personal", async () => {
  const before = await offsetsOfTopics("high");
  const wasTold = await toldBetween(new Map(), before);
  expect(wasTold.filter((record) => record.includes(PERSON)).join()).toContain(TOPICS.balances);

  const by = { accountId, now: Date.now(), by: "test" };
  expect((await eraseAccount(books.database, by)).kind).toBe("erased");
  expect(await hasPerson(books)).toBe(false);
  // One event again, which is dropped; one that comes late.
  await meter([chatOf(ID, "1", PERSON), chatOf(ID, "late", PERSON)]);
  expect(await Array.fromAsync(eraseAgain(books.database, Date.now()))).toEqual([true]);
  expect(await hasPerson(books)).toBe(false);

  const told = await toldBetween(before, await offsetsOfTopics("high"));
  expect(told.some((record) => record.startsWith(TOPICS.balances))).toBe(true);
  expect(told.filter((record) => record.includes(PERSON))).toEqual([]);

  expect(await brokenInvariants(books.database)).toEqual([]);
  const { differences, usage } = await prove(books, { accountId });
  expect(differences).toEqual([]);
  expect(usage).toMatchObject({ messages: 4, metered: 3, repeats: 1, deadLetters: 0 });
}, 60_000);

test("books that are built again are equal, and are erased as these are", async () => {
  const target = await openBooks();
  try {
    const command = ["replay", "--into", superuserUrl(target.url)];
    const { code, stdout, stderr } = await drawdown(command, { env: { DATABASE_URL: books.url } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^1 account, 3 events: equal/);
    expect(await hasPerson(target)).toBe(true);
    expect(await Array.fromAsync(eraseAgain(target.database, Date.now()))).toEqual([true]);
    expect(await hasPerson(target)).toBe(false);
    expect(await brokenInvariants(target.database)).toEqual([]);
  } finally {
    await target.close();
  }
}, 60_000);
