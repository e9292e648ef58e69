/** The API prices, lists and explains usage by dimensions and bands as metering does. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { rateTable } from "../../shared/core/offer/rate-table.ts";
import { type Books, openAccount, openBooks, setRates } from "../support/books/books.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { openApi } from "../support/processes/api.ts";

const PRICES = {
  dimensions: ["model"],
  rates: [
    { patterns: ["large"], credits: 1n, per: 2n },
    { patterns: ["small-*"], credits: 1n, per: 3n },
    { patterns: ["small-*"], band: { of: null, from: 9n }, credits: 1n, per: 1n },
    { patterns: ["large"], band: { of: "context", from: 100n }, credits: 2n, per: 1n },
  ],
};

const unbanded = { from_quantity: null, from: {} };

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setRates(books, [rateTable({ meter: "chat", validFrom: 0 }, PRICES)]);
  await openAccount(books, "acme", { lots: [{ credits: 1_000n }] });
});

afterAll(() => books?.close());

test("an allowance is for the rate of its dimensions, with what is carried under all of them", async () => {
  const { ask } = await openApi(books);
  const costOf = async (model: string, quantity = 5, more = {}) => {
    const dimensions = encodeURIComponent(JSON.stringify({ model, ...more }));
    const url = `/v1/accounts/acme/allowance?meter=chat&quantity=${quantity}&dimensions=${dimensions}`;
    return (await ask("GET", url)).body;
  };
  expect(await costOf("large")).toMatchObject({ cost: "2", allowed: true });
  expect(await costOf("small-1")).toMatchObject({ cost: "1" });
  expect(await costOf("small-1", 9)).toMatchObject({ cost: "9" });
  expect(await costOf("large", 5, { context: "100" })).toMatchObject({ cost: "10" });
  expect(await costOf("large", 5, { context: "1e2" })).toMatchObject({
    type: "urn:drawdown:no_price",
    detail:
      'meter chat is priced for model=large by context, which must be a whole number from 0 to 9223372036854775807 in digits, not "1e2"',
  });
  const of = { accountId: "acme", meter: "chat", quantity: 1n };
  await meterEvents(books, [{ ...of, eventId: "e", dimensions: { model: "large", team: "a" } }]);
  // 1/2 is carried: 1/2 + 5/3 are 2 and a sixth.
  expect(await costOf("small-1")).toMatchObject({ cost: "2" });
  expect(await costOf("tiny")).toMatchObject({
    type: "urn:drawdown:no_price",
    detail: "meter chat has no rate for model=tiny; the nearest are for model=large; model=small-*",
  });
});

test("an event is explained with its rate, and the catalogue lists all of them", async () => {
  const { ask } = await openApi(books);
  const stated = { ...unbanded, when: { model: "large" }, credits: "1", per: "2" };
  expect((await ask("GET", "/v1/accounts/acme/events/e")).body["rate"]).toEqual({
    ...{ valid_from: "1970-01-01T00:00:00.000Z", ...stated },
    ...{ priced_by: "list", list: stated, own: null },
  });
  expect((await ask("GET", "/v1/catalogue")).body["meters"]).toEqual([
    {
      meter: "chat",
      valid_from: "1970-01-01T00:00:00.000Z",
      credits: null,
      per: null,
      dimensions: ["model"],
      rates: [
        { ...unbanded, when: { model: "large" }, credits: "1", per: "2" },
        { ...unbanded, when: { model: "small-*" }, credits: "1", per: "3" },
        { when: { model: "small-*" }, from_quantity: "9", from: {}, credits: "1", per: "1" },
        {
          ...{ when: { model: "large" }, from_quantity: null, from: { context: "100" } },
          ...{ credits: "2", per: "1" },
        },
      ],
      feed: null,
      set_by: null,
    },
  ]);
});

test("whoever shows an account learns the dimensions that prices depend on now", async () => {
  const named = { meter: "chat", validFrom: Date.now() + 60_000 };
  await setRates(books, [rateTable(named, { ...PRICES, dimensions: ["engine"] })]);
  const { ask } = await openApi(books);
  expect((await ask("GET", "/v1/accounts/acme/names")).body).toEqual({
    items: [],
    price_dimensions: ["model"],
  });
  const later = await openApi(books, { now: () => named.validFrom });
  const { body } = await later.ask("GET", "/v1/accounts/acme/names");
  expect(body.price_dimensions).toEqual(["engine"]);
});
