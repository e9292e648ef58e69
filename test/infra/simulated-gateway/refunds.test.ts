/** Refunds and chargebacks at the simulated gateway: never more than was charged, each key once. */
import { describe, expect, test } from "vitest";
import type { Answer } from "../../support/processes/gateway-client.ts";
import { openGateway } from "../../support/processes/simulated-gateway.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const TEN = Array.from({ length: 10 }, (_, index) => index);

describe("a refund", () => {
  test("of a part, then of the rest", async () => {
    const { payment, refund } = await paid();
    const first = await refund("400", "r1");
    expect(first).toEqual({
      status: 200,
      body: { id: expect.stringMatching(/^re_/), key: "r1", amount: "400", kind: "refund" },
    });
    const second = await refund("600", "r2");
    expect(second.status).toBe(200);
    expect(await payment.takenBack()).toEqual([first.body, second.body]);
  });

  test("of more than is left is refused, naming what is left", async () => {
    const { payment, refund } = await paid();
    await refund("400");
    expect(await refund("601")).toEqual({
      status: 422,
      body: {
        error: `cannot refund 601 of payment ${payment.id}: 600 of its 1000 is left (in the minor unit of USD)`,
      },
    });
    expect(await payment.takenBack()).toHaveLength(1);
  });

  test("with the same key again is the same refund, also when nothing is left", async () => {
    const { payment, refund } = await paid();
    const first = await refund("1000", "r1");
    expect(await refund("1000", "r1")).toEqual(first);
    expect(await payment.takenBack()).toHaveLength(1);
  });

  test("with the same key after a restart is the same refund", async () => {
    const dataDir = await tempFolder();
    const before = await paid({}, dataDir);
    const first = await before.refund("400", "r1");
    await before.gateway.close();
    const after = await openGateway({ dataDir });
    const path = `/v1/payments/${before.payment.id}/refunds`;
    expect(await after.send("POST", path, { amount: "400" }, "r1")).toEqual(first);
    expect((await after.read(path)).body).toEqual({ taken_back: [first.body] });
  });

  test("with the same key and another amount is a conflict", async () => {
    const { payment, refund } = await paid();
    await refund("400", "r1");
    expect((await refund("401", "r1")).status).toBe(409);
    expect(await payment.takenBack()).toHaveLength(1);
  });

  test("with the same key of another payment is a conflict", async () => {
    const { gateway, refund } = await paid();
    await refund("400", "r1");
    const { body } = await gateway.charge();
    const path = `/v1/payments/${body["id"]}/refunds`;
    expect((await gateway.send("POST", path, { amount: "400" }, "r1")).status).toBe(409);
  });

  test("with the key of a charge is a conflict", async () => {
    const { gateway, refund } = await paid();
    await gateway.charge({}, "k2");
    expect((await refund("400", "k2")).status).toBe(409);
  });

  test("ten concurrent ones with one key are one refund", async () => {
    const { payment, refund } = await paid();
    const answers = await Promise.all(TEN.map(() => refund("100", "r1")));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await payment.takenBack()).toHaveLength(1);
  });

  test("ten concurrent ones that exceed the payment together: as many as fit", async () => {
    const { payment, refund } = await paid();
    const answers = await Promise.all(TEN.map((index) => refund("300", `r${index}`)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(7);
    expect(await payment.takenBack()).toHaveLength(3);
  });

  test.each([
    { method: "card_decline", why: "it was declined, so no money was taken" },
    { method: "card_processing", why: "it has not succeeded yet" },
  ])("of a payment with $method is refused: $why", async ({ method, why }) => {
    const { refund } = await paid({ method });
    const { status, body } = await refund("1");
    expect(status).toBe(422);
    expect(body["error"]).toContain(why);
  });

  test("of an unknown payment is not found", async () => {
    const { gateway } = await paid();
    const path = "/v1/payments/unknown/refunds";
    expect((await gateway.send("POST", path, { amount: "1" }, "r1")).status).toBe(404);
    expect((await gateway.read(path)).status).toBe(404);
  });
});

describe("a chargeback", () => {
  test("takes everything", async () => {
    const { payment, chargeBack } = await paid();
    const answer = await chargeBack();
    expect(answer).toEqual({
      status: 200,
      body: { id: expect.stringMatching(/^cb_/), key: null, amount: "1000", kind: "chargeback" },
    });
    expect(await payment.takenBack()).toEqual([answer.body]);
  });

  test("takes what a refund left, and leaves nothing to refund", async () => {
    const { chargeBack, refund } = await paid();
    await refund("400");
    expect((await chargeBack()).body).toMatchObject({ amount: "600" });
    expect((await refund("1")).status).toBe(422);
  });

  test("is refused when nothing is left", async () => {
    const { payment, chargeBack } = await paid();
    await chargeBack();
    expect(await chargeBack()).toEqual({
      status: 422,
      body: {
        error: `cannot charge payment ${payment.id} back: 0 of its 1000 is left (in the minor unit of USD)`,
      },
    });
  });

  test("of a declined payment is refused", async () => {
    const { chargeBack } = await paid({ method: "card_decline" });
    expect((await chargeBack()).status).toBe(422);
  });

  test("of an unknown payment is not found", async () => {
    const { gateway } = await paid();
    expect((await gateway.send("POST", "/v1/payments/unknown/chargeback")).status).toBe(404);
  });
});

/** A payment of 1000, and the actions on it. */
async function paid(different: object = {}, dataDir?: string) {
  const gateway = await openGateway(dataDir === undefined ? {} : { dataDir });
  const { body } = await gateway.charge(different);
  const id = String(body["id"]);
  let refunds = 0;
  return {
    gateway,
    payment: {
      id,
      takenBack: async () => (await gateway.read(`/v1/payments/${id}/refunds`)).body["taken_back"],
    },
    refund(amount: string, key?: string): Promise<Answer> {
      refunds += 1;
      return gateway.send(
        "POST",
        `/v1/payments/${id}/refunds`,
        { amount },
        key ?? `refund-${refunds}`,
      );
    },
    chargeBack: () => gateway.send("POST", `/v1/payments/${id}/chargeback`),
  };
}
