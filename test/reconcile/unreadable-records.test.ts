import { expect, onTestFinished, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { openBooks } from "../support/books/books.ts";
import { openPayer } from "../support/books/payers.ts";
import { rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { malformedRecords } from "../support/kafka/malformed-records.ts";
import { publishPending } from "../support/processes/live-server.ts";
import { prove } from "./prove.ts";

const BILLING = [TOPICS.balances, TOPICS.credits, TOPICS.topUps, TOPICS.lowBalance];

test("reconciling names each record that cannot be read, and compares the others", async () => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  const account = `unreadable-${crypto.randomUUID()}`;
  await openPayer(books, account, { credits: 10n });
  const malformed = malformedRecords(account).filter(({ key }) => key === account);
  const producer = await rawProducer(testKafka());
  await producer.sendBatch({
    topicMessages: BILLING.map((topic) => ({ topic, messages: [...malformed] })),
  });
  await producer.disconnect();
  await publishPending(books);

  const { differences } = await prove(books, { accountId: toAccountId(account) });
  expect(new Set(differences.map(({ kind }) => kind))).toEqual(new Set(["unreadable_record"]));
  for (const topic of BILLING) {
    const ofTopic = differences.filter((found) => "topic" in found && found.topic === topic);
    expect([topic, ofTopic.length]).toEqual([topic, malformed.length]);
  }
});
