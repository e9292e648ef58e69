import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { untilTold, whileMetering } from "./metered-books.ts";
import { prove } from "./prove.ts";

/** Reconciling sees one state of the books, however much is metered and granted meanwhile. */
const kafka = testKafka();
const prefix = `live-${randomBytes(4).toString("hex")}`;
const ACCOUNTS = Array.from({ length: 5 }, (_, at) => `${prefix}-${at}`);
/** Events of each round. */
const EACH = 10;

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

test("while usage is metered and credits are granted, nothing correct is reported", async () => {
  await whileMetering(books, async () => {
    const seen: number[] = [];
    // It continues until three states in between were checked.
    const playing = play(() => new Set(seen).size < 3);
    let published: number | null = null;
    const ended = playing.then((events) => {
      published = events;
    });
    while (published === null) {
      const { differences, usage, cut } = await prove(books);
      expect(differences).toEqual([]);
      expect(cut.isWhole).toBe(true);
      seen.push(usage.messages);
    }
    await ended;
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    await untilCaughtUp(kafka, books.database);
    await untilTold(books);
    const { usage, differences } = await prove(books);
    expect(differences).toEqual([]);
    expect(usage).toMatchObject({ messages: published, metered: published });
  });
}, 120_000);

/** Publishes usage and grants credits, in rounds, until stopped; returns the number of events. */
async function play(goesOn: () => boolean): Promise<number> {
  let round = 0;
  for (; goesOn(); round += 1) {
    const events = Array.from({ length: EACH }, (_, at) => ({
      eventId: `${prefix}-${round}-${at}`,
      accountId: ACCOUNTS[(round + at) % ACCOUNTS.length] ?? "",
      quantity: 1n,
    }));
    await publisher.publish(events);
    const accountId = toAccountId(ACCOUNTS[round % ACCOUNTS.length] ?? "");
    const lot = { lotId: `${prefix}-${round}`, credits: 10n, source: "promotion" } as const;
    const asked = { ...lot, reference: "", end: { kind: "never" } } as const;
    await grantCredits(books.database, accountId, asked, Date.now());
  }
  return round * EACH;
}
