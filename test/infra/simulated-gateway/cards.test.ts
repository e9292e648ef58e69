/**
 * The behaviour of each card of the simulated gateway, by the first answer, by the answer to a repeat
 * and by the charge log. A suffix after "-" only tells cards apart.
 */
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type Answer, CHARGE, type GatewayClient } from "../../support/processes/gateway-client.ts";
import { openGateway } from "../../support/processes/simulated-gateway.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const SUCCEEDED = { status: 200, body: { status: "succeeded" } };

describe.each(["", "-acme", "-a-b_c"])("a card with the suffix %j", (suffix) => {
  test("is approved by its name", async () => {
    const gateway = await openGateway();
    expect(await gateway.charge({ method: `card_approve${suffix}` })).toMatchObject(SUCCEEDED);
  });

  test.each([
    { card: "card_decline", kind: "soft", code: "insufficient_funds" },
    { card: "card_decline_hard", kind: "hard", code: "stolen_card" },
    { card: "card_expired", kind: "hard", code: "expired_card" },
    { card: "card_authenticate", kind: "needs_customer", code: "authentication_required" },
  ])("$card declines, $kind: $code", async ({ card, kind, code }) => {
    const gateway = await openGateway();
    const answer = await gateway.charge({ method: card + suffix }, "k1");
    expect(answer).toMatchObject({
      status: 402,
      body: { status: "declined", decline: { kind, code } },
    });
    expect(await gateway.payments()).toEqual([answer.body]);
  });
});

test("card_slow charges immediately and answers three seconds later, also to repeats", async () => {
  const gateway = await openGateway();
  const began = performance.now();
  const first = gateway.charge({ method: "card_slow" }, "k1");
  await untilCharged(gateway);
  const repeat = gateway.charge({ method: "card_slow" }, "k1");
  expect(await first).toMatchObject(SUCCEEDED);
  expect(await repeat).toEqual(await first);
  expect(performance.now() - began).toBeGreaterThan(2_990);
});

test("card_timeout_after_charge charges and leaves the request without an answer", async () => {
  const gateway = await openGateway();
  const method = "card_timeout_after_charge";
  const givenUp = new AbortController();
  const first = fetch(`${gateway.url}/v1/payments`, {
    method: "POST",
    headers: { "Idempotency-Key": "k1", "Content-Type": "application/json" },
    body: JSON.stringify({ ...CHARGE, method }),
    signal: givenUp.signal,
  }).then(({ status }) => status);
  await untilCharged(gateway);
  expect(await gateway.charge({ method }, "k1")).toMatchObject(SUCCEEDED);
  givenUp.abort(new Error("given up"));
  await expect(first).rejects.toThrow("given up"); // not an answer that came meanwhile
  expect(await gateway.payments("?key=k1")).toMatchObject([{ status: "succeeded" }]);
});

test("a stopping gateway breaks connections that it never answers", async () => {
  const gateway = await openGateway();
  const first = gateway.charge({ method: "card_timeout_after_charge" });
  await untilCharged(gateway);
  await Promise.all([gateway.close(), expect(first).rejects.toThrow("fetch failed")]);
});

test("card_break_after_charge charges and breaks the connection, once", async () => {
  const gateway = await openGateway();
  const method = "card_break_after_charge";
  await expect(gateway.charge({ method }, "k1")).rejects.toThrow("fetch failed");
  expect(await gateway.payments()).toMatchObject([{ key: "k1", status: "succeeded" }]);
  expect(await gateway.charge({ method }, "k1")).toMatchObject(SUCCEEDED);
  expect(await gateway.payments()).toHaveLength(1);
});

test("card_500_after_charge charges and answers 500, once", async () => {
  const gateway = await openGateway();
  const method = "card_500_after_charge";
  expect((await gateway.charge({ method }, "k1")).status).toBe(500);
  expect(await gateway.payments()).toMatchObject([{ key: "k1", status: "succeeded" }]);
  expect(await gateway.charge({ method }, "k1")).toMatchObject(SUCCEEDED);
  expect(await gateway.payments()).toHaveLength(1);
});

test("card_500_before_charge answers 500 and charges nothing, every time", async () => {
  const gateway = await openGateway();
  for (const key of ["k1", "k1", "k2"]) {
    expect((await gateway.charge({ method: "card_500_before_charge" }, key)).status).toBe(500);
  }
  expect(await gateway.payments()).toEqual([]);
});

describe("card_processing", () => {
  test("is under way and has succeeded a second later; a repeat gets the first answer", async () => {
    const gateway = await openGateway();
    const first = await gateway.charge({ method: "card_processing" }, "k1");
    expect(first).toMatchObject({ status: 200, body: { status: "processing" } });
    expect(await gateway.payments()).toEqual([first.body]);
    await untilCharged(gateway);
    expect(await gateway.charge({ method: "card_processing" }, "k1")).toEqual(first);
    expect(await gateway.payments()).toEqual([{ ...first.body, status: "succeeded" }]);
  });

  test("succeeds after a restart, too", async () => {
    const dataDir = await tempFolder();
    const before = await openGateway({ dataDir });
    await before.charge({ method: "card_processing" });
    await before.close();
    const after = await openGateway({ dataDir });
    await untilCharged(after);
  });
});

test.each(["card_webhook_twice", "card_webhook_late", "card_no_webhook"])(
  "%s approves",
  async (method) => {
    const gateway = await openGateway();
    expect(await gateway.charge({ method })).toMatchObject(SUCCEEDED);
  },
);

test.each(["card_unknown", "card_approve_x", "approve", "card_", "-card_approve"])(
  "%s is not a card: declined for good",
  async (method) => {
    const gateway = await openGateway();
    const { status, body } = await gateway.charge({ method });
    expect({ status, decline: body["decline"] }).toEqual({
      status: 402,
      decline: { kind: "hard", code: "resource_missing" },
    });
  },
);

describe("a script", () => {
  test("applies one line to each of the card's new charges, and keeps the last", async () => {
    const gateway = await openGateway();
    const script = ["decline", "500_after_charge", "approve"];
    const set = await gateway.send("PUT", "/v1/cards/card_expired-acme", { script });
    expect(set).toEqual({ status: 200, body: { method: "card_expired-acme", script } });
    const statuses = await inTurn(["k1", "k2", "k3", "k4"], (key) =>
      gateway.charge({ method: "card_expired-acme" }, key),
    );
    expect(statuses).toEqual([402, 500, 200, 200]);
  });

  test("is not used up by repeats", async () => {
    const gateway = await openGateway();
    await gateway.send("PUT", "/v1/cards/card_approve", { script: ["decline", "approve"] });
    const statuses = await inTurn(["k1", "k1", "k2"], (key) => gateway.charge({}, key));
    expect(statuses).toEqual([402, 402, 200]);
  });

  test("continues after a failure before the charge: the same key is charged then", async () => {
    const gateway = await openGateway();
    const script = ["500_before_charge", "500_before_charge", "approve"];
    await gateway.send("PUT", "/v1/cards/card_approve", { script });
    const statuses = await inTurn(["k1", "k1", "k1", "k1"], (key) => gateway.charge({}, key));
    expect(statuses).toEqual([500, 500, 200, 200]);
    expect(await gateway.payments()).toHaveLength(1);
  });

  test("fails once for all requests that arrive while the gateway works on the first", async () => {
    const gateway = await openGateway({ latencyMs: 100 });
    const script = ["500_before_charge", "approve"];
    await gateway.send("PUT", "/v1/cards/card_approve", { script });
    const both = await Promise.all([gateway.charge({}, "k1"), gateway.charge({}, "k1")]);
    expect(both.map(({ status }) => status)).toEqual([500, 500]);
    expect(await gateway.payments()).toEqual([]);
  });

  test("applies to its own card only", async () => {
    const gateway = await openGateway();
    await gateway.send("PUT", "/v1/cards/card_approve-acme", { script: ["decline"] });
    expect((await gateway.charge({ method: "card_approve-globex" })).status).toBe(200);
  });

  test("starts over when it is set again", async () => {
    const gateway = await openGateway();
    const script = ["decline", "approve"];
    await gateway.send("PUT", "/v1/cards/card_approve", { script });
    expect((await gateway.charge()).status).toBe(402);
    await gateway.send("PUT", "/v1/cards/card_approve", { script });
    expect((await gateway.charge()).status).toBe(402);
  });

  test("continues where it was after a restart", async () => {
    const dataDir = await tempFolder();
    const before = await openGateway({ dataDir });
    await before.send("PUT", "/v1/cards/card_approve", { script: ["approve", "decline"] });
    expect((await before.charge()).status).toBe(200);
    await before.close();
    const after = await openGateway({ dataDir });
    expect((await after.charge()).status).toBe(402);
  });
});

/** Waits until the log contains one succeeded payment. */
async function untilCharged({ payments }: GatewayClient): Promise<void> {
  await eventually("the payment has succeeded", async () =>
    JSON.stringify(await payments()).includes('"status":"succeeded"'),
  );
}

async function inTurn(
  keys: readonly string[],
  charge: (key: string) => Promise<Answer>,
): Promise<number[]> {
  const statuses: number[] = [];
  for (const key of keys) statuses.push((await charge(key)).status);
  return statuses;
}
