import { paymentMethod, toPaymentMethod } from "../../../shared/contract/payment-method.ts";
import { gatewayId } from "../../../shared/contract/wire.ts";
import {
  readMethodState,
  removePaymentMethod,
  setPaymentMethod,
} from "../../../shared/ledger/payments/methods.ts";
import { nameOf } from "../access/caller.ts";
import { refuse } from "../problem.ts";
import { readOfAccount, requestBody, route, WRITE } from "./route.ts";

const METHOD = {
  ...WRITE,
  path: "/v1/accounts/:account_id/payment-method",
  tag: "top-ups",
  response: { 200: paymentMethod },
} as const;

export const paymentMethodRoutes = [
  route(
    {
      ...METHOD,
      method: "GET",
      summary: "Show the account's payment method, and who set or removed it",
    },
    ({ params: { account_id } }, context) =>
      readOfAccount(context, account_id, async (transaction) =>
        toPaymentMethod(account_id, await readMethodState(transaction, account_id)),
      ),
  ),
  route(
    {
      ...METHOD,
      method: "PUT",
      summary: "Set the account's payment method",
      description:
        "By the payment gateway's ids. Auto top-up starts again if it was paused or stopped, and declined fees are tried again. After too many attempts to pay within an hour it is answered 429 (`too_many_attempts`) with Retry-After.",
      body: requestBody("New payment method", {
        customer: gatewayId("customer"),
        method: gatewayId("method"),
      }),
    },
    async (request, { database, now, attemptsPerHour }) => {
      const { account_id } = request.params;
      const by = { accountId: account_id, now: now(), by: nameOf(request) };
      const outcome = await setPaymentMethod(database, by, request.body, attemptsPerHour);
      if (outcome.kind !== "set") throw refuse(outcome);
      return toPaymentMethod(account_id, await readMethodState(database, account_id));
    },
  ),
  route(
    {
      ...METHOD,
      method: "DELETE",
      summary: "Remove the account's payment method",
      description:
        "Auto top-up stops until another is set, and the fee that falls due next is declined, as one for which there is no money. A charge that the gateway already has goes on. Without a payment method nothing changes, and the answer is the same. What the gateway has saved stays there.",
    },
    async (request, { database, now }) => {
      const { account_id } = request.params;
      const by = { accountId: account_id, now: now(), by: nameOf(request) };
      const outcome = await removePaymentMethod(database, by);
      if (outcome.kind !== "removed") throw refuse(outcome);
      return toPaymentMethod(account_id, await readMethodState(database, account_id));
    },
  ),
];
