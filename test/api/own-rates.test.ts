/** The API sets and lists an account's own terms, and prices and explains usage by them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks, setPrice, setRates } from "../support/books/books.ts";
import { meterEvents } from "../support/cli/meter-events.ts";
import { makeKey, openApi } from "../support/processes/api.ts";

const URL = "/v1/accounts/acme/rates";
const BEGIN = "2026-01-01T00:00:00.000Z";

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "calls", 1_000_000n, 3n);
  await setPrice(books, "pages", 1_000_000n);
  await openAccount(books, "acme", { lots: [{ credits: 1_000_000_000n }] });
});

afterAll(() => books?.close());

test("own terms are set and listed, and price what follows", async () => {
  const { ask } = await openApi(books);
  const discount = { discount: "12.5", valid_from: BEGIN, reason: "contract" };
  const set = await ask("POST", URL, { body: discount });
  expect(set).toMatchObject({ status: 201 });
  expect(set.body).toMatchObject({
    ...{ meter: null, valid_from: BEGIN, discount: "12.5", credits: null, rates: [] },
    reason: "contract",
  });
  expect(await ask("POST", URL, { body: discount })).toMatchObject({ status: 200 });
  const rates = {
    ...{ meter: "pages", dimensions: ["size"], valid_from: BEGIN, reason: "volume" },
    rates: [{ when: { size: "a4*" }, credits: "5", per: "1" }],
  };
  expect(await ask("POST", URL, { body: rates })).toMatchObject({ status: 201 });
  expect((await ask("GET", URL)).body).toMatchObject({
    items: [
      { meter: null, discount: "12.5" },
      { meter: "pages", discount: null, rates: [{ when: { size: "a4*" }, credits: "5" }] },
    ],
  });
  const allowance = `/v1/accounts/acme/allowance?meter=calls&quantity=24`;
  expect((await ask("GET", allowance)).body).toMatchObject({ cost: "7000000" });
  const of = { accountId: "acme", meter: "calls" };
  await meterEvents(books, [{ ...of, eventId: "e", quantity: 1n }]);
  expect((await ask("GET", "/v1/accounts/acme/events/e")).body).toMatchObject({
    credits: "291666",
    rate: {
      ...{ credits: "875000", per: "3", priced_by: "discount" },
      list: { credits: "1000000", per: "3" },
      own: { meter: null, discount: "12.5", reason: "contract" },
    },
  });
  // Two thirds of a micro-credit are carried.
  expect((await ask("GET", allowance.replace("24", "1"))).body).toMatchObject({ cost: "291667" });
});

test("own rates may be for packages, which an event begins and a discount reduces", async () => {
  const { ask } = await openApi(books);
  await openAccount(books, "bolt", { lots: [{ credits: 1_000_000_000n }] });
  await setRates(books, [
    { ...{ meter: "seconds", validFrom: 0, credits: 4_000_000n, per: 60n }, roundUp: "each_event" },
  ]);
  const url = "/v1/accounts/bolt/rates";
  const terms = {
    meter: "calls",
    credits: "7",
    per: "30",
    round_up: "each_event",
    reason: "volume",
  };
  expect(await ask("POST", url, { body: terms })).toMatchObject({
    status: 201,
    body: { credits: "7", per: "30", round_up: "each_event" },
  });
  const discount = { meter: "seconds", discount: "25", reason: "volume" };
  expect(await ask("POST", url, { body: discount })).toMatchObject({ status: 201 });
  const of = { accountId: "bolt", occurredAt: Date.now() };
  await meterEvents(books, [
    { ...of, meter: "calls", eventId: "e1", quantity: 31n },
    { ...of, meter: "seconds", eventId: "e2", quantity: 61n },
  ]);
  expect((await ask("GET", "/v1/accounts/bolt/events/e1")).body).toMatchObject({
    credits: "14",
    rate: { credits: "7", per: "30", round_up: "each_event", package: "30" },
  });
  expect((await ask("GET", "/v1/accounts/bolt/events/e2")).body).toMatchObject({
    credits: "6000000",
    rate: { credits: "3000000", per: "60", round_up: "each_event", package: "60" },
  });
  expect(await ask("POST", url, { body: { ...terms, round_up: "up" } })).toMatchObject({
    status: 400,
  });
});

test("terms that would change a price that was paid are refused, and so is what cannot be", async () => {
  const { ask } = await openApi(books);
  const reason = "x";
  const past = { discount: "1", valid_from: "2026-02-01T00:00:00Z", reason };
  expect(await ask("POST", URL, { body: past })).toMatchObject({
    status: 422,
    body: { type: "urn:drawdown:too_early" },
  });
  const wrong = [
    { reason },
    { discount: "12.345", reason },
    { discount: "100.01", reason },
    { discount: "-1", reason },
    { discount: "5" },
    { discount: "5", credits: "1", per: "1", meter: "pages", reason },
    { credits: "1", per: "1", reason },
    { credits: "1", meter: "pages", reason },
    { credits: "-1", per: "1", meter: "pages", reason },
    {
      dimensions: ["a"],
      rates: [{ when: { b: "x" }, credits: "1", per: "1" }],
      meter: "pages",
      reason,
    },
    { rates: [{ credits: "1", per: "0" }], dimensions: ["a"], meter: "pages", reason },
  ];
  for (const body of wrong) {
    expect(await ask("POST", URL, { body }), JSON.stringify(body)).toMatchObject({ status: 400 });
  }
  expect(
    await ask("POST", URL, { body: { discount: "5", meter: "nothing", reason } }),
  ).toMatchObject({ status: 422, body: { type: "urn:drawdown:unknown_meter" } });
  expect(await ask("GET", "/v1/accounts/nobody/rates")).toMatchObject({ status: 404 });
  expect((await ask("GET", URL)).body.items).toHaveLength(2);
});

test("what may read or change accounts otherwise may not set them", async () => {
  const { ask } = await openApi(books);
  const body = { discount: "5", reason: "x" };
  const by = async (scope: "read" | "billing" | "catalogue") => {
    const headers = { authorization: `Bearer ${await makeKey(books, [scope])}` };
    return (await ask("POST", URL, { body, headers })).status;
  };
  expect([await by("read"), await by("billing"), await by("catalogue")]).toEqual([403, 403, 201]);
});
