import { z } from "zod";
import { invoicing, toInvoicing } from "../../../shared/contract/invoicing.ts";
import {
  readInvoicedElsewhere,
  setInvoicedElsewhere,
} from "../../../shared/ledger/payments/invoiced-elsewhere.ts";
import { nameOf } from "../access/caller.ts";
import { refuse } from "../problem.ts";
import { READ, readOfAccount, requestBody, route, WRITE } from "./route.ts";

const PATH = "/v1/accounts/:account_id/invoicing";

export const invoicingRoutes = [
  route(
    {
      ...READ,
      byToken: false,
      path: PATH,
      tag: "subscription",
      summary: "Show whether the account is invoiced elsewhere",
      response: { 200: invoicing },
    },
    ({ params: { account_id } }, context) =>
      readOfAccount(context, account_id, async (transaction) =>
        toInvoicing(account_id, await readInvoicedElsewhere(transaction, account_id)),
      ),
  ),
  route(
    {
      ...WRITE,
      method: "PUT",
      path: PATH,
      tag: "subscription",
      summary: "Mark an account as invoiced elsewhere",
      description:
        "Its plan fees are then not charged here. Open fees that are not at the gateway count as paid, and what they bring comes.",
      body: requestBody("Invoicing update", { elsewhere: z.boolean() }),
      response: { 200: invoicing },
    },
    async (request, { database, now }) => {
      const { account_id } = request.params;
      const by = { accountId: account_id, now: now(), by: nameOf(request) };
      const outcome = await setInvoicedElsewhere(database, by, request.body.elsewhere);
      if (outcome.kind === "unknown_account") throw refuse(outcome);
      return toInvoicing(account_id, await readInvoicedElsewhere(database, account_id));
    },
  ),
];
