/** Webhook endpoints and their deliveries by the API: made, looked at, paused, replaced, deleted. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { toAccountId } from "../../shared/core/text/text.ts";
import { webhookReader } from "../../shared/core/text/topics.ts";
import { takeEvents, webhookId } from "../../shared/ledger/webhooks/take-events.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { makeKey, openApi, type TestApi } from "../support/processes/api.ts";

const TYPE = "billing.credits";
let books: Books;
let api: TestApi;

beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books?.close());
beforeEach(async () => {
  await books.database.query(
    "TRUNCATE webhook_endpoint, webhook_delivery, webhook_queue, consumer_offset",
  );
  api = await openApi(books, { webhooks: { allowPrivate: true } });
});

async function create(body: object = { url: "http://127.0.0.1:9/", types: [TYPE] }) {
  return api.ask("POST", "/v1/webhooks", { body });
}

test("an endpoint is made with a secret that is shown once", async () => {
  const { status, body, headers } = await create();
  expect(status).toBe(201);
  expect(body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(headers["cache-control"]).toContain("no-store");
  const listed = await api.ask("GET", "/v1/webhooks");
  expect(listed.text).not.toContain(body.secret);
  expect(listed.body.items).toMatchObject([
    { endpoint_id: body.endpoint_id, url: "http://127.0.0.1:9/", types: [TYPE], paused_at: null },
  ]);
});

test.each([
  [{ url: "http://127.0.0.1:9/", types: [] }, 400],
  [{ url: "http://127.0.0.1:9/", types: ["billing.balances"] }, 400],
  [{ url: "", types: [TYPE] }, 400],
  [{ url: "nonsense", types: [TYPE] }, 422],
  [{ url: "https://nowhere.invalid/", types: [TYPE] }, 422],
])("what cannot be delivered to is refused: %j", async (body, status) => {
  expect((await create(body)).status).toBe(status);
  expect((await api.ask("GET", "/v1/webhooks")).body.items).toEqual([]);
});

test("a private address is refused unless a setting allows it", async () => {
  api = await openApi(books);
  const { status, body } = await create({ url: "https://10.0.0.1/", types: [TYPE] });
  expect(status).toBe(422);
  expect(body).toMatchObject({ type: "urn:drawdown:webhook_url", field: "url" });
});

test("only a key with the scope admin may", async () => {
  const headers = { authorization: `Bearer ${await makeKey(books, ["billing", "read"])}` };
  expect((await api.ask("GET", "/v1/webhooks", { headers })).status).toBe(403);
});

test("it is paused, resumed, given another secret, and deleted", async () => {
  const { body: made } = await create();
  const path = `/v1/webhooks/${made.endpoint_id}`;
  expect((await api.ask("POST", `${path}/pause`)).body.paused_at).not.toBeNull();
  expect((await api.ask("POST", `${path}/resume`)).body).toMatchObject({ paused_at: null });
  const { body: replaced } = await api.ask("POST", `${path}/secret`);
  expect(replaced.secret).not.toBe(made.secret);
  expect((await api.ask("GET", path)).body.old_secret_until).toBe(replaced.old_secret_until);
  expect((await api.ask("DELETE", path)).status).toBe(204);
  expect((await api.ask("GET", path)).status).toBe(404);
});

test("deliveries are listed page by page, shown, and sent again", async () => {
  const { body: made } = await create();
  const events = [1n, 2n, 3n].map((sequence) => ({
    ...{ accountId: toAccountId("acme"), sequence, offset: sequence - 1n },
    ...{ publishedAt: Date.now(), body: `{"sequence":"${sequence}"}` },
  }));
  const stretch = {
    reader: webhookReader(TYPE),
    type: TYPE,
    partition: 0,
    fetchedFrom: 0n,
  } as const;
  await takeEvents(books.database, { ...stretch, nextOffset: 3n, events }, Date.now());
  const path = `/v1/webhooks/${made.endpoint_id}/deliveries`;
  const first = (await api.ask("GET", `${path}?limit=2`)).body;
  const rest = (await api.ask("GET", `${path}?limit=2&cursor=${first.next_cursor}`)).body;
  expect(first.items).toHaveLength(2);
  expect(rest).toMatchObject({ items: [{ account_id: "acme" }], next_cursor: null });
  const id = webhookId({ type: TYPE, accountId: "acme", sequence: 1n });
  expect((await api.ask("GET", `${path}/${id}`)).body).toMatchObject({
    ...{ webhook_id: id, sequence: "1", delivered_at: null, attempts: 0, body: '{"sequence":"1"}' },
  });
  await books.database.query("UPDATE webhook_delivery SET delivered_at = now()");
  const again = await api.ask("POST", `${path}/${id}/send-again`);
  expect(again).toMatchObject({ status: 200, body: { delivered_at: null } });
  const none = await api.ask("POST", `${path}/msg_${"0".repeat(32)}/send-again`);
  expect(none).toMatchObject({ status: 404, body: { type: "urn:drawdown:unknown_delivery" } });
  const elsewhere = await api.ask("GET", `/v1/webhooks/${"0".repeat(16)}/deliveries/${id}`);
  expect(elsewhere).toMatchObject({ status: 404, body: { type: "urn:drawdown:unknown_webhook" } });
});
