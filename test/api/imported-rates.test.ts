/** The API shows what imported rates were made from. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { rateTable } from "../../shared/core/offer/rate-table.ts";
import { type Books, openAccount, openBooks, setRates } from "../support/books/books.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { openApi } from "../support/processes/api.ts";

const SHA256 = "0123456789abcdef".repeat(4);
const SOURCE = {
  ...{ importedAt: null, file: "prices.json", format: "litellm", sha256: SHA256 },
  ...{ currency: "USD", perCredit: "0.01", markups: ["1.3", "openai/*=1.2"] },
};
const PRICES = {
  dimensions: ["provider", "model"],
  rates: [
    {
      ...{ patterns: ["openai", "gpt-5"], credits: 150_000_000n, per: 1_000_000n },
      origin: { listPrice: "1.25", listPer: 1_000_000n, markup: "1.2", source: SOURCE },
    },
    { patterns: [null, null], credits: 7n, per: 1n },
  ],
};
const SINCE = "1970-01-01T00:00:00.000Z";
const LIST_PRICE = {
  ...{ price: "1.25", currency: "USD", per: "1000000", markup: "1.2" },
  imported_at: expect.any(String),
};
const SHOWN_SOURCE = {
  ...{ imported_at: expect.any(String), file: "prices.json", format: "litellm", sha256: SHA256 },
  ...{ currency: "USD", per_credit: "0.01", markups: ["1.3", "openai/*=1.2"] },
};

/** Without a band. */
const ANY = { from_quantity: null, from: {} };

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setRates(books, [rateTable({ meter: "chat", validFrom: 0 }, PRICES)]);
  await openAccount(books, "acme", { lots: [{ credits: 1_000_000n }] });
  const of = { accountId: "acme", meter: "chat", quantity: 10n };
  const dimensions = { provider: "openai", model: "gpt-5" };
  await meterEvents(books, [
    { ...of, eventId: "imported", dimensions },
    { ...of, eventId: "by-hand" },
  ]);
});

afterAll(() => books?.close());

test("the catalogue has the list price and the markup of each rate, and the files", async () => {
  const { ask } = await openApi(books);
  const { meters } = (await ask("GET", "/v1/catalogue")).body as { meters: unknown[] };
  expect(meters).toEqual([
    expect.objectContaining({
      meter: "chat",
      rates: [
        {
          ...{ when: { provider: "openai", model: "gpt-5" }, ...ANY },
          ...{ credits: "150000000", per: "1000000", list_price: LIST_PRICE },
        },
        { when: {}, ...ANY, credits: "7", per: "1" },
      ],
      sources: [SHOWN_SOURCE],
    }),
  ]);
});

test("an explained event has those of the rate that priced it", async () => {
  const { ask } = await openApi(books);
  const rateOf = async (id: string) =>
    (await ask("GET", `/v1/accounts/acme/events/${id}`)).body["rate"];
  expect(await rateOf("imported")).toMatchObject({
    priced_by: "list",
    ...{ valid_from: SINCE, when: { provider: "openai", model: "gpt-5" }, ...ANY },
    ...{ credits: "150000000", per: "1000000", list_price: LIST_PRICE, source: SHOWN_SOURCE },
  });
  const byHand = await rateOf("by-hand");
  expect(byHand).not.toHaveProperty("list_price");
  expect(byHand).not.toHaveProperty("source");
  expect(byHand).toMatchObject({
    priced_by: "list",
    ...{ valid_from: SINCE, when: {}, ...ANY, credits: "7", per: "1" },
  });
});
