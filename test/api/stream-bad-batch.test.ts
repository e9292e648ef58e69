import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { openAccount, openBooks } from "../support/books/books.ts";
import { gzipBomb } from "../support/kafka/bomb.ts";
import { rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { sendPacked } from "../support/kafka/send-packed.ts";
import { publishPending, serveLive } from "../support/processes/live-server.ts";
import { openStream } from "../support/processes/stream-reader.ts";

const kafka = testKafka();
const account = `stream-bad-batch-${randomBytes(4).toString("hex")}`;

test("a batch of a billing topic that cannot be read ends no stream, and what is behind it comes", async () => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  await openAccount(books, account, { lots: [{ credits: 1n }] });
  await publishPending(books);
  const { origin, key } = await serveLive(books);
  const stream = await openStream(origin, { account, key });
  await stream.hears("the balance", ({ event }) => event === "balance");

  await spoilCredits();
  const gift = { lotId: "gift", credits: 50n, source: "promotion", reference: "" } as const;
  await grantCredits(
    books.database,
    toAccountId(account),
    { ...gift, end: { kind: "never" } },
    Date.now(),
  );
  await publishPending(books);
  const { data } = await stream.hears("the grant", (said) => said.data["lot_id"] === "gift");
  expect(data).toMatchObject({ kind: "grant", credits: "50" });
});

/** One in each partition; deleted after the test, for other readers of the topic have no such limit. */
async function spoilCredits(): Promise<void> {
  const [admin, producer] = [kafka.admin(), await rawProducer(kafka)];
  await admin.connect();
  const bomb = gzipBomb(40);
  const partitions = (await admin.fetchTopicOffsets(TOPICS.credits)).map(
    ({ partition }) => partition,
  );
  for (const partition of partitions) {
    const messages = [{ key: account, value: "bomb", partition }];
    await sendPacked(producer, {
      topic: TOPICS.credits,
      messages,
      codec: "gzip",
      pack: () => bomb,
    });
  }
  await producer.disconnect();
  onTestFinished(async () => {
    const ends = await admin.fetchTopicOffsets(TOPICS.credits);
    const all = ends.map(({ partition, high }) => ({ partition, offset: high }));
    await admin.deleteTopicRecords({ topic: TOPICS.credits, partitions: all });
    await admin.disconnect();
  });
}
