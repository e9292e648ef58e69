/**
 * The simulated gateway charges each payment once:
 * - the same key with the same body gets the first answer, later, concurrently and after a restart
 * - the same key with anything else is a conflict
 * - its log lists every charge, by key, by account and in order
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { CHARGE } from "../../support/processes/gateway-client.ts";
import { openGateway } from "../../support/processes/simulated-gateway.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const TEN = Array.from({ length: 10 }, (_, index) => index);

test("a charge is answered with everything requested, and is in the log", async () => {
  const gateway = await openGateway();
  const { status, body } = await gateway.charge({}, "k1");
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      ...CHARGE,
      id: expect.stringMatching(/^pay_/),
      key: "k1",
      status: "succeeded",
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    },
  });
  expect(await gateway.payments()).toEqual([body]);
  expect(await gateway.read(`/v1/payments/${body["id"]}`)).toEqual({ status: 200, body });
});

test("the same request again is answered the same, and charges nothing more", async () => {
  const gateway = await openGateway();
  const first = await gateway.charge({}, "k1");
  expect(await gateway.charge({}, "k1")).toEqual(first);
  expect(await gateway.payments()).toHaveLength(1);
});

test("a declined request again is answered the same", async () => {
  const gateway = await openGateway();
  const first = await gateway.charge({ method: "card_decline" }, "k1");
  expect(await gateway.charge({ method: "card_decline" }, "k1")).toEqual(first);
  expect(await gateway.payments()).toHaveLength(1);
});

test.each([0, 50])(
  "ten concurrent requests are one charge, with an answer after %d ms",
  async (latencyMs) => {
    const gateway = await openGateway({ latencyMs });
    const [first, ...others] = await Promise.all(TEN.map(() => gateway.charge({}, "k1")));
    expect(first?.status).toBe(200);
    for (const other of others) expect(other).toEqual(first);
    expect(await gateway.payments()).toHaveLength(1);
  },
);

test("ten concurrent requests with separate keys are ten charges", async () => {
  const gateway = await openGateway({ latencyMs: 50 });
  await Promise.all(TEN.map((index) => gateway.charge({ payment_id: `p${index}` })));
  expect(await gateway.payments()).toHaveLength(10);
});

test("after a restart on the same store the same request is answered the same", async () => {
  const dataDir = await tempFolder();
  const before = await openGateway({ dataDir });
  const first = await before.charge({}, "k1");
  await before.close();
  const after = await openGateway({ dataDir });
  expect(await after.charge({}, "k1")).toEqual(first);
  expect(await after.payments()).toEqual([first.body]);
});

test("an amount of 64 bits is exact to the last digit", async () => {
  const gateway = await openGateway();
  const amount = "9223372036854775807";
  expect((await gateway.charge({ amount })).body).toMatchObject({ amount });
  expect(await gateway.payments()).toMatchObject([{ amount }]);
});

test.each([
  { account_id: "other" },
  { payment_id: "other" },
  { amount: "1001" },
  { currency: "EUR" },
  { customer: "cus_other" },
  { method: "card_approve-other" },
])("the same key with another request is a conflict: %o", async (different) => {
  const gateway = await openGateway();
  await gateway.charge({}, "k1");
  const { status, body } = await gateway.charge(different, "k1");
  expect(status).toBe(409);
  expect(body).toEqual({ error: "this Idempotency-Key was used for another request" });
  expect(await gateway.payments()).toMatchObject([CHARGE]);
});

test("another request with the key of one under way is an immediate conflict", async () => {
  const gateway = await openGateway();
  const slow = gateway.charge({ method: "card_slow" }, "k1");
  const other = await gateway.charge({ method: "card_slow", amount: "1" }, "k1");
  expect(other.status).toBe(409);
  await gateway.close(); // Waiting requests are answered.
  expect((await slow).status).toBe(200);
});

test("the key of a refund is a conflict for a charge", async () => {
  const gateway = await openGateway();
  const { body } = await gateway.charge({}, "k1");
  await gateway.send("POST", `/v1/payments/${body["id"]}/refunds`, { amount: "1" }, "r1");
  expect((await gateway.charge({}, "r1")).status).toBe(409);
  expect(await gateway.payments()).toHaveLength(1);
});

test("the log is found by key and by account", async () => {
  const gateway = await openGateway();
  await gateway.charge({ account_id: "acme" }, "k1");
  await gateway.charge({ account_id: "globex" }, "k2");
  expect(await gateway.payments("?key=k2")).toMatchObject([{ key: "k2" }]);
  expect(await gateway.payments("?key=unknown")).toEqual([]);
  expect(await gateway.payments("?account_id=acme")).toMatchObject([{ key: "k1" }]);
  expect(await gateway.payments("?account_id=acme&key=k2")).toEqual([]);
});

test("a log of more than one page is complete and in order", async () => {
  const gateway = await openGateway();
  const keys = Array.from({ length: 501 }, (_, index) => `k${index}`);
  for (const key of keys) await gateway.charge({}, key);
  expect(await gateway.payments()).toMatchObject(keys.map((key) => ({ key })));
  expect(await gateway.payments("?account_id=acme")).toHaveLength(keys.length);
});

test("an unknown payment is not found", async () => {
  const gateway = await openGateway();
  expect((await gateway.read("/v1/payments/unknown")).status).toBe(404);
});

test("a key is forgotten after a while, as Stripe forgets it after a day: the same request charges again", async () => {
  const dataDir = await tempFolder();
  const before = await openGateway({ dataDir });
  await before.charge({}, "k1");
  expect((await before.charge({ amount: "2000" }, "k1")).status).toBe(409);
  await before.close();
  const gateway = await openGateway({ dataDir, keysKeptMs: 0 });
  expect((await gateway.charge({ amount: "2000" }, "k1")).status).toBe(200);
  expect(await gateway.payments("?key=k1")).toHaveLength(2);
});

test("a store of before, whose keys were unique for good, is taken over", async () => {
  const dataDir = await tempFolder();
  const store = new DatabaseSync(join(dataDir, "gateway.sqlite"));
  store.exec(`
    CREATE TABLE payment (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE,
      account_id TEXT NOT NULL, payment_id TEXT NOT NULL, amount INTEGER NOT NULL,
      currency TEXT NOT NULL, customer TEXT NOT NULL, method TEXT NOT NULL,
      behaviour TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
    CREATE TABLE taken_back (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
      payment TEXT NOT NULL REFERENCES payment (id), key TEXT UNIQUE, kind TEXT NOT NULL,
      amount INTEGER NOT NULL) STRICT;
    INSERT INTO payment VALUES (7, 'pay_1', 'k1', 'acme', 'p1', 1000, 'USD', 'c', 'card_approve',
      'approve', 'succeeded', 0);
    INSERT INTO taken_back VALUES (1, 're_1', 'pay_1', 'r1', 'refund', 400);`);
  store.close();
  const gateway = await openGateway({ dataDir });
  expect(await gateway.payments("?key=k1")).toMatchObject([{ id: "pay_1", amount: "1000" }]);
  expect((await gateway.charge({}, "k1")).status).toBe(200);
  expect(await gateway.payments()).toHaveLength(2);
  const { body } = await gateway.send(
    "POST",
    "/v1/payments/pay_1/refunds",
    { amount: "600" },
    "r2",
  );
  expect(body).toMatchObject({ amount: "600" });
  expect((await gateway.read("/v1/payments/pay_1/refunds")).body["taken_back"]).toHaveLength(2);
});
