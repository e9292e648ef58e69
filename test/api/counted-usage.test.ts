/** What a month counts may exceed 64 bits, though no quantity does. */
import { expect, onTestFinished, test } from "vitest";
import { openAccount, openBooks, setRates } from "../support/books/books.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { openApi } from "../support/processes/api.ts";

const MOST = 2n ** 63n - 1n;

test("an event is explained whatever the month has counted before it", async () => {
  const books = await openBooks();
  onTestFinished(() => books.close());
  const price = { credits: 1n, per: MOST, roundUp: "each_month" } as const;
  await setRates(books, [{ meter: "texts", validFrom: 0, ...price }]);
  await openAccount(books, "acme", { lots: [{ credits: 1_000n }] });
  const used = { accountId: "acme", meter: "texts", quantity: MOST };
  await meterEvents(books, [
    { ...used, eventId: "first" },
    { ...used, eventId: "second" },
  ]);
  const { ask } = await openApi(books);
  const { status, body } = await ask("GET", "/v1/accounts/acme/events/second");
  expect(status).toBe(200);
  expect(body["rate"]).toMatchObject({ counted: { from: `${MOST}`, to: `${2n * MOST}` } });
});
