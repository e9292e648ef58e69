import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text.ts";
import { grantCredits } from "../../shared/ledger/grant-credits.ts";
import { type Books, openAccount, openBooks, setPrice } from "../stack/books.ts";
import { testKafka } from "../stack/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../stack/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../stack/usage-topic.ts";
import { untilTold, whileMetering } from "./metered-books.ts";
import { prove } from "./prove.ts";

/** Reconciling sees one state of the books, however much is metered and granted meanwhile. */
const kafka = testKafka();
const prefix = `live-${randomBytes(4).toString("hex")}`;
const ACCOUNTS = Array.from({ length: 5 }, (_, at) => `${prefix}-${at}`);
const ROUNDS = 40;
const EACH = 100;

let books: Books;
let publisher: UsagePublisher;
let giveBack: () => Promise<void>;

beforeAll(async () => {
  giveBack = await takeUsageTopic(kafka);
  publisher = await openUsagePublisher(kafka);
  books = await openBooks();
  await setPrice(books, "call", 7n);
  for (const id of ACCOUNTS) await openAccount(books, id, { lots: [{ credits: 1_000_000n }] });
}, 60_000);

afterAll(async () => {
  await publisher?.close();
  await books?.close();
  await giveBack?.();
});

test("while usage is metered and credits are granted, nothing is reported that is right", async () => {
  await whileMetering(books, async () => {
    let isOver = false;
    const playing = play().finally(() => {
      isOver = true;
    });
    const seen: number[] = [];
    while (!isOver) {
      const { differences, usage, cut } = await prove(books);
      expect(differences).toEqual([]);
      expect(cut.isWhole).toBe(true);
      seen.push(usage.messages);
    }
    await playing;
    // It looked at states in between, each later than the one before it.
    expect(new Set(seen).size).toBeGreaterThan(2);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    await untilCaughtUp(kafka, books.database);
    await untilTold(books);
    const { usage, differences } = await prove(books);
    expect(differences).toEqual([]);
    expect(usage).toMatchObject({ messages: ROUNDS * EACH, metered: ROUNDS * EACH });
  });
}, 120_000);

async function play(): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await publisher.publish(
      Array.from({ length: EACH }, (_, at) => ({
        eventId: `${prefix}-${round}-${at}`,
        accountId: ACCOUNTS[(round + at) % ACCOUNTS.length] ?? "",
        quantity: 1n,
      })),
    );
    const accountId = toAccountId(ACCOUNTS[round % ACCOUNTS.length] ?? "");
    const lot = { lotId: `${prefix}-${round}`, credits: 10n, source: "promotion" } as const;
    const asked = { ...lot, reference: "", end: { kind: "never" } } as const;
    await grantCredits(books.database, accountId, asked, Date.now());
    await sleep(100);
  }
}
