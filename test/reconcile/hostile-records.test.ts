import { expect, onTestFinished, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { openPublisher } from "../../shared/kafka/publish/publisher.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { queryRow, queryRows } from "../../shared/ledger/postgres/database.ts";
import { describeDifference } from "../../shared/reconcile/describe-difference.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { openPayer } from "../support/books/payers.ts";
import { rawProducer, testKafka } from "../support/kafka/kafka.ts";
import { malformedRecords } from "../support/kafka/malformed-records.ts";
import { publishPending } from "../support/processes/live-server.ts";
import { prove, repairAll } from "./prove.ts";

const BILLING = [
  TOPICS.balances,
  TOPICS.credits,
  TOPICS.topUps,
  TOPICS.payments,
  TOPICS.lowBalance,
];

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

test("of a forged entry and a true one, neither is restored; a forged balance is named", async () => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  const account = toAccountId(`forged-${crypto.randomUUID()}`);
  await openPayer(books, account, { credits: 10n });
  await grantCredits(
    books.database,
    account,
    {
      ...{ lotId: "true", credits: 5n, source: "promotion", reference: "" },
      end: { kind: "never" },
    },
    Date.now(),
  );
  await publishPending(books);
  const newest = 9_000_000_000_000_000_000n;
  const [state] = await queryRows<{ version: bigint; entries: bigint }>(
    books.database,
    "SELECT version, entries FROM account WHERE account_id = $1",
    [account],
  );
  const sequence = state?.entries ?? 0n;
  await forge(account, TOPICS.credits, sequence, {
    ...{ account_id: account, sequence, kind: "grant", credits: 500n, balance: 515n },
    ...{ lot_id: "true", reference: "", due_at: Date.now(), posted_at: Date.now() },
  });
  await forge(account, TOPICS.balances, newest, {
    ...{ account_id: account, version: newest, changed_at: Date.now() },
    ...{ granted: newest, position: 0n, balance: newest },
  });

  const { differences } = await prove(books, { accountId: account });
  expect(differences).toMatchObject([
    { kind: "other_entry", published: { credits: 500n }, isContradicted: true },
    { kind: "balance_ahead", version: newest, inBooks: state?.version },
  ]);
  expect(differences.map(describeDifference)).toEqual([
    `entry ${sequence} is grant of 0.000005 credits in the books, but was published as grant of 0.0005 credits; another record of it on billing.credits says otherwise`,
    `billing.balances has version ${newest}, and the account is at ${state?.version}: the record is forged, or the books were restored from a backup`,
  ]);
  expect(await repairAll(books, differences)).toEqual([null, null]);
});

test("an older balance that follows the newest one is named and published again, as is one that a broken record follows", async () => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  const accounts = ["old", "broken"].map((name) => toAccountId(`${name}-${crypto.randomUUID()}`));
  const [old = "", broken = ""] = accounts;
  for (const account of accounts) await openPayer(books, account, { credits: 10n });
  await publishPending(books);
  const inBooks = await versionOf(books, old);
  await forge(old, TOPICS.balances, 1n, {
    ...{ account_id: old, version: 1n, changed_at: Date.now() },
    ...{ granted: 0n, position: 0n, balance: 0n },
  });
  const producer = await rawProducer(testKafka());
  await producer.send({ topic: TOPICS.balances, messages: [{ key: broken, value: null }] });
  await producer.disconnect();

  const differences = (await Promise.all(accounts.map((accountId) => prove(books, { accountId }))))
    .flatMap((found) => found.differences)
    .filter(({ kind }) => kind !== "unreadable_record");
  expect(differences).toEqual([
    { kind: "balance_overtaken", accountId: old, version: 1n, inBooks },
    { kind: "balance_overtaken", accountId: broken, version: 0n, inBooks },
  ]);
  const end = `and the account is at ${inBooks}, which was published before: compaction keeps the last`;
  expect(differences.map(describeDifference)).toEqual([
    `billing.balances ends with version 1, ${end}`,
    `billing.balances ends with a record that cannot be read, ${end}`,
  ]);

  expect(await repairAll(books, differences)).toEqual(["told_again", "told_again"]);
  await publishPending(books);
  for (const accountId of accounts) {
    const again = await prove(books, { accountId });
    expect(again.differences.filter(({ kind }) => kind !== "unreadable_record")).toEqual([]);
  }
});

async function versionOf(books: Books, account: string): Promise<bigint | undefined> {
  const text = "SELECT version FROM account WHERE account_id = $1";
  return (await queryRow<{ version: bigint }>(books.database, text, [account]))?.version;
}

async function forge(
  account: string,
  topic: string,
  sequence: bigint,
  record: Record<string, unknown>,
): Promise<void> {
  const publisher = openPublisher(testKafka(), openRegistry(readSettings(process.env).registry));
  await publisher.publish([{ topic, key: account, sequence, record }]);
  await publisher.close();
}
