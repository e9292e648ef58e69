import { afterAll, beforeAll, expect, test } from "vitest";
import { openApi } from "../stack/api.ts";
import { type Books, openAccount, openBooks } from "../stack/books.ts";

let books: Books;

beforeAll(async () => {
  books = await openBooks();
});

afterAll(async () => {
  await books?.close();
});

test("a balance is told with its version as ETag, and not again while it stands", async () => {
  await openAccount(books, "acme", { lots: [{ credits: 5_000_000n }] });
  const { ask } = await openApi(books);
  const first = await ask("GET", "/v1/accounts/acme/balance");
  expect(first.status).toBe(200);
  expect(first.body).toEqual({
    account_id: "acme",
    balance: "5000000",
    granted: "5000000",
    position: "0",
    low_balance: false,
    threshold: "0",
    version: "2",
  });
<<<<<<< HEAD
  const headers = { "if-none-match": String(first.headers["etag"]) };
  const again = await ask("GET", "/v1/accounts/acme/balance", { headers });
  expect([again.status, again.text]).toEqual([304, ""]);
  const spec = (await ask("GET", "/openapi.json")).body;
  for (const p of Object.keys(spec.paths)) {
    for (const [m, o] of Object.entries<any>(spec.paths[p])) {
      if (m !== "get") { console.log(m, p); continue; }
      const url = p.replace("{account_id}", "acme").replace("{lot_id}", "acme-lot-1").replace("{event_id}", "x");
      if (p.endsWith("stream")) continue;
      const r = await ask("GET", url);
      console.log(r.status, url, r.text.slice(0, 300));
    }
  }
  console.log(JSON.stringify(spec.paths["/v1/accounts/{account_id}/balance"], null, 1).slice(0, 2500));
=======
  const tag = String(first.headers["etag"]);
  const again = await ask("GET", "/v1/accounts/acme/balance", {
    headers: { "if-none-match": tag },
  });
  expect([again.status, again.text]).toEqual([304, ""]);
  const spec = await ask("GET", "/openapi.json", {});
  console.log(JSON.stringify(spec.body.paths, null, 1).slice(0, 3000));
  console.log(
    (await ask("GET", "/v1/accounts/nobody/balance")).body,
    (await ask("GET", "/v1/accounts/a%00b/balance")).body,
    (await ask("GET", "/v1/accounts/acme/balance", { headers: { authorization: "" } })).body,
  );
  void app;
>>>>>>> ingest
});
