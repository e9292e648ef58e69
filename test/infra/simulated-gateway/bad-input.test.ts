/**
 * Invalid requests to the simulated gateway are refused, with the field that is wrong, and have no
 * effect.
 */
import { describe, expect, test } from "vitest";
import { type Answer, CHARGE } from "../../support/processes/gateway-client.ts";
import { type GatewayInProcess, openGateway } from "../../support/processes/simulated-gateway.ts";

const IDS = ["account_id", "payment_id", "customer", "method"];
const UNFIT_IDS = [undefined, null, 7, "", "a\0b", "\uFFFD", "x".repeat(257), ["a"]];
const UNFIT_AMOUNTS = [undefined, null, 1000, "", "0", "-1", "1.5", "1e3", " 1", "007", "$1"];
const TOO_LARGE = "9223372036854775808";
const UNFIT_CURRENCIES = [undefined, null, 840, "", "usd", "US", "QQQ"];

const UNFIT = [
  ...IDS.flatMap((field) => UNFIT_IDS.map((value) => ({ field, value }))),
  ...[...UNFIT_AMOUNTS, TOO_LARGE].map((value) => ({ field: "amount", value })),
  ...UNFIT_CURRENCIES.map((value) => ({ field: "currency", value })),
  { field: "unheard_of", value: 1 },
];

describe("a charge is refused", () => {
  test.each(shown(UNFIT))("with $field $shown", async ({ field, value }) => {
    const gateway = await openGateway();
    expectRefused(await gateway.charge({ [field]: value }), field);
    expect(await gateway.payments()).toEqual([]);
  });

  test.each([undefined, "", "two words", "x".repeat(256), "ü"])("with the key %j", async (key) => {
    const gateway = await openGateway();
    expectRefused(await gateway.send("POST", "/v1/payments", CHARGE, key), "Idempotency-Key");
    expect(await gateway.payments()).toEqual([]);
  });

  test.each([[], "text", 1, null])("with the body %j", async (body) => {
    const gateway = await openGateway();
    expectRefused(await gateway.send("POST", "/v1/payments", body, "k1"), "body");
  });

  test.each([
    { what: "no JSON", body: "{", type: "application/json", status: 400 },
    { what: "nothing", body: "", type: "application/json", status: 400 },
    { what: "another type", body: "a=1", type: "application/x-www-form-urlencoded", status: 415 },
  ])("with a body of $what", async ({ body, type, status }) => {
    const gateway = await openGateway();
    const headers = { "Idempotency-Key": "k1", "Content-Type": type };
    expect((await post(gateway, headers, body)).status).toBe(status);
  });

  test("with a body of more than 64 KiB, while one of 64 KiB is refused for its content only", async () => {
    const gateway = await openGateway();
    const headers = { "Idempotency-Key": "k1", "Content-Type": "application/json" };
    const sized = (bytes: number) => JSON.stringify(CHARGE).padEnd(bytes);
    expect((await post(gateway, headers, sized(65_537))).status).toBe(413);
    expect(await gateway.payments()).toEqual([]);
    expect((await post(gateway, headers, sized(65_536))).status).toBe(200);
  });
});

describe("a refund is refused", () => {
  test.each(shown(UNFIT.filter(({ field }) => field === "amount" || field === "unheard_of")))(
    "with $field $shown",
    async ({ field, value }) => {
      const { gateway, path } = await paid();
      expectRefused(await gateway.send("POST", path, { amount: "1", [field]: value }, "r1"), field);
      expect((await gateway.read(path)).body).toEqual({ taken_back: [] });
    },
  );

  test("without a key", async () => {
    const { gateway, path } = await paid();
    expectRefused(await gateway.send("POST", path, { amount: "1" }), "Idempotency-Key");
    expect((await gateway.read(path)).body).toEqual({ taken_back: [] });
  });
});

describe("a script is refused", () => {
  const TOO_LONG = Array.from({ length: 1_001 }, () => "approve");

  test.each([undefined, [], "approve", ["card_approve"], ["approve", "x"], TOO_LONG])(
    "that is %j",
    async (script) => {
      const gateway = await openGateway();
      expectRefused(await gateway.send("PUT", "/v1/cards/card_approve", { script }), "script");
    },
  );

  test("for what is not a card", async () => {
    const gateway = await openGateway();
    const script = ["approve"];
    expectRefused(await gateway.send("PUT", "/v1/cards/visa", { script }), "method");
  });

  test("but a card's name may have 256 characters of any kind", async () => {
    const gateway = await openGateway();
    const method = "card_approve-".padEnd(256, "é/");
    const script = ["decline"];
    const path = `/v1/cards/${encodeURIComponent(method)}`;
    expect((await gateway.send("PUT", path, { script })).status).toBe(200);
    expect((await gateway.charge({ method })).status).toBe(402);
  });
});

test("the log refuses unknown query parameters", async () => {
  const gateway = await openGateway();
  expectRefused(await gateway.read("/v1/payments?status=succeeded"), "status");
  expectRefused(await gateway.read("/v1/payments?key=a&key=b"), "key");
});

test("an unknown path is not found", async () => {
  const gateway = await openGateway();
  expect(await gateway.read("/v2")).toEqual({ status: 404, body: { error: "no such path" } });
});

/** Test names show a NUL as JSON does. */
function shown(cases: readonly { readonly field: string; readonly value: unknown }[]) {
  return cases.map((unfit) => ({ ...unfit, shown: JSON.stringify(unfit.value)?.slice(0, 30) }));
}

function expectRefused({ status, body }: Answer, field: string): void {
  expect({ status, field: body["field"] }).toEqual({ status: 400, field });
  expect(body["error"]).toMatch(
    new RegExp(`^${field} (must be |is not usable: |is not a known field$)`),
  );
}

async function post({ url }: GatewayInProcess, headers: Record<string, string>, body: string) {
  return await fetch(`${url}/v1/payments`, { method: "POST", headers, body });
}

async function paid() {
  const gateway = await openGateway();
  const { body } = await gateway.charge();
  return { gateway, path: `/v1/payments/${body["id"]}/refunds` };
}
