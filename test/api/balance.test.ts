import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { openApi } from "../support/processes/api.ts";

const MINUTE = 60_000;

let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(async () => {
  await books?.close();
});

test("a balance has its version as ETag, and is not sent again while it is unchanged", async () => {
  await openAccount(books, "acme", { lots: [{ credits: 5_000_000n }] });
  const { ask } = await openApi(books);
  const first = await ask("GET", "/v1/accounts/acme/balance");
  expect(first.status).toBe(200);
  expect(first.body).toEqual({
    account_id: "acme",
    balance: "5000000",
    ended: "0",
    held: "0",
    available: "5000000",
    granted: "5000000",
    position: "0",
    low_balance: false,
    threshold: "0",
    version: "2",
  });
  const headers = { "if-none-match": String(first.headers["etag"]) };
  const again = await ask("GET", "/v1/accounts/acme/balance", { headers });
  expect([again.status, again.text]).toEqual([304, ""]);
});

test("a lot that has ended is available nowhere, before its expiry is posted", async () => {
  const at = Date.now() - 10 * MINUTE;
  const lots = [{ credits: 5_000_000n, expiresAt: at + 9 * MINUTE }, { credits: 2_000_000n }];
  await openAccount(books, "ended", { lots, at });
  const { ask } = await openApi(books);
  const get = async (path: string) => (await ask("GET", `/v1/accounts${path}`)).body;

  const shown = { balance: "2000000", ended: "5000000", granted: "7000000", position: "0" };
  expect(await get("/ended/balance")).toMatchObject(shown);
  expect(await get("/ended")).toMatchObject({ ...shown, live_lots: 1 });
  expect((await get("?limit=100")).items).toContainEqual(
    expect.objectContaining({ account_id: "ended", balance: "2000000", ended: "5000000" }),
  );
  expect(await get("/ended/runway")).toMatchObject({ balance: "2000000", expires_unused: "0" });
  expect(await get("/ended/allowance?credits=2000001")).toMatchObject({
    ...{ allowed: false, reason: "not_enough", balance: "2000000" },
  });
  expect((await get("/ended/lots")).items).toMatchObject([
    { used: "0", expired: "5000000", remaining: "0" },
    { used: "0", expired: "0", remaining: "2000000" },
  ]);
  const body = { credits: "1000000" };
  const granted = await ask("POST", "/v1/accounts/ended/grants", { body });
  expect(granted.body).toMatchObject({ balance: "3000000" });
});

test("the ETag of a balance changes when a lot ends", async () => {
  let now = Date.now();
  const lots = [{ credits: 5_000_000n, expiresAt: now + MINUTE }];
  await openAccount(books, "ends", { lots, at: now });
  const { ask } = await openApi(books, { now: () => now });
  const before = await ask("GET", "/v1/accounts/ends/balance");
  now += MINUTE;
  const headers = { "if-none-match": String(before.headers["etag"]) };
  const after = await ask("GET", "/v1/accounts/ends/balance", { headers });
  expect([before.body.balance, after.body.balance]).toEqual(["5000000", "0"]);
});
