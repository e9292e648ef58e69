import { expect, onTestFinished, test } from "vitest";
import { lowBalanceHandler } from "../../services/top-up/follow-low-balances.ts";
import { openTopUpLow } from "../../services/top-up/top-up-low.ts";
import { LOW_BALANCE_READER, TOPICS } from "../../shared/core/text/topics.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { openSkippedRecords } from "../../shared/kafka/consume/skipped-records.ts";
import { readOffsets } from "../../shared/ledger/books/consumer-offset.ts";
import { serverReader } from "../../shared/ledger/postgres/server-start.ts";
import { openBooks, setPrice } from "../support/books/books.ts";
import { openPayer, sellCredits, use } from "../support/books/payers.ts";
import { silent } from "../support/kafka/kafka.ts";
import { malformedRecords } from "../support/kafka/malformed-records.ts";

test("malformed records on billing.low-balance are passed, and the account they name is topped up once", async () => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  await setPrice(books, "call", 1n);
  await sellCredits(books);
  await openPayer(books, "acme", { credits: 10n });
  await use(books, { acme: 10n });
  const skipped = openSkippedRecords(silent);
  let topUps = 0;
  const stopping = new AbortController().signal;
  const waits = retryOutages({ logger: silent, stopping });
  const { start: server } = await serverReader(books.database)();
  const handle = lowBalanceHandler({
    ...{ database: books.database, skipped, waits },
    topUpLow: openTopUpLow({
      ...{ database: books.database, waits },
      comparedOn: () => server,
      onTopUp() {
        topUps += 1;
      },
    }),
  });
  const messages = malformedRecords("acme").map(({ key, value }, at) => ({
    ...{ key: key == null ? null : Buffer.from(key), value: Buffer.from(value ?? "") },
    ...{ offset: String(at), timestamp: "0", attributes: 0, headers: {} },
  }));
  const nextOffset = BigInt(messages.length);
  const place = { topic: TOPICS.lowBalance, partition: 0, fetchedFrom: 0n };
  const batch = { ...place, messages, nextOffset, highWatermark: nextOffset };
  expect(await handle(batch, async () => undefined)).toBe(nextOffset);
  expect((await readOffsets(books.database, LOW_BALANCE_READER)).get(0)).toBe(nextOffset);
  expect(topUps).toBe(1);
  expect(skipped.counts()).toEqual([
    { topic: TOPICS.lowBalance, reason: "no_key", count: 1 },
    { topic: TOPICS.lowBalance, reason: "no_account_id", count: 3 },
  ]);
});
