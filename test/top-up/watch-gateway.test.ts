import { expect, test } from "vitest";
import {
  type ChargeRequest,
  OutcomeUnknown,
  type PaymentGateway,
} from "../../services/top-up/gateways/payment-gateway.ts";
import { watchGateway } from "../../services/top-up/watch-gateway.ts";

const REQUEST = {} as ChargeRequest;

/** A gateway whose calls end as `say` says. */
function given() {
  const at = { now: 0 };
  const answer = { say: async (): Promise<null> => null };
  const gateway = {
    name: "test",
    find: () => answer.say(),
    async *listCharges() {
      yield* (await answer.say()) ?? [];
    },
  } as object as PaymentGateway;
  return { at, answer, ...watchGateway(gateway, () => at.now) };
}

test("a gateway that answers is well, also when it refuses", async () => {
  const { gateway, answer, failing, calls } = given();
  expect(failing()).toBeNull();
  await gateway.find(REQUEST);
  answer.say = () => Promise.reject(new Error("400: not like this"));
  await expect(gateway.find(REQUEST)).rejects.toThrow("400");
  expect(failing()).toBeNull();
  expect(calls()).toEqual({ answered: 2, unanswered: 0 });
});

test("one that does not is failing since the first of its calls in a row, until it answers", async () => {
  const { gateway, at, answer, failing, calls } = given();
  const answers = answer.say;
  answer.say = () => Promise.reject(new OutcomeUnknown("no answer"));
  at.now = 1_000;
  await expect(gateway.find(REQUEST)).rejects.toThrow("no answer");
  at.now = 3_000;
  await expect(gateway.listCharges(0, 1)[Symbol.asyncIterator]().next()).rejects.toThrow();
  at.now = 4_000;
  expect(failing()).toEqual({ reason: "no answer", forMs: 3_000 });
  expect(calls()).toEqual({ answered: 0, unanswered: 2 });
  answer.say = answers;
  for await (const charge of gateway.listCharges(0, 1)) expect(charge).toBeUndefined();
  expect(failing()).toBeNull();
});
