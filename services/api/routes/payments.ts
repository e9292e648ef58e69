import type { z } from "zod";
import { CSV_PAGE, csvFileName, csvText, pagesOf } from "../../../shared/contract/csv-export.ts";
import { ALL_PAYMENTS_CSV } from "../../../shared/contract/csv-tables.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import {
  allPaymentsPage,
  listedPayment,
  paymentFields,
  toListedPayment,
} from "../../../shared/contract/payment.ts";
import { accountId, instant, words } from "../../../shared/contract/wire.ts";
import {
  listAllPayments,
  type PaymentFilter,
} from "../../../shared/ledger/payments/list-all-payments.ts";
import type { Caller } from "../access/caller.ts";
import { checkAccount } from "../access/check-access.ts";
import { badRequest } from "../problem.ts";
import { route } from "./route.ts";

const filters = page.extend({
  account_id: accountId.optional(),
  kind: paymentFields.kind.optional(),
  status: paymentFields.status.optional(),
  from: instant.optional().meta({ description: "Created from this instant on." }),
  to: instant.optional().meta({ description: "Created before this instant." }),
  gateway_payment: words(255).optional().meta({ description: "The gateway's id." }),
});

export const paymentsRoute = route(
  {
    method: "GET",
    path: "/v1/payments",
    access: "read",
    byRestrictedKey: true,
    tag: "top-ups",
    summary: "List the payments (top-ups and fees) of all accounts, newest first",
    description: "A key that is restricted to some accounts lists the payments of those.",
    query: filters,
    response: { 200: listOf(listedPayment) },
  },
  ({ query, caller }, { database }) => {
    const which = toFilter(query, caller);
    return allPaymentsPage(query, (limit, last) => listAllPayments(database, which, limit, last));
  },
  ({ query, caller }, { database }) => {
    const which = toFilter(query, caller);
    const pages = pagesOf<ReturnType<typeof toListedPayment>>(async (last) =>
      (await listAllPayments(database, which, CSV_PAGE, last)).map(toListedPayment),
    );
    const name = csvFileName(query.account_id ?? "", "payments", query.from, query.to);
    return { name, text: (view) => csvText(ALL_PAYMENTS_CSV, pages, view) };
  },
);

/** The payments that are requested and that the caller may see. Throws a Problem for others. */
function toFilter(query: z.output<typeof filters>, caller: Caller | null): PaymentFilter {
  const { account_id, kind = null, status = null, from = null, to = null } = query;
  if (from !== null && to !== null && from > to) throw badRequest("from", "is after to");
  if (account_id !== undefined) checkAccount(caller, account_id);
  const permitted = caller?.kind === "key" ? caller.accountIds : null;
  const accountIds = account_id === undefined ? permitted && [...permitted] : [account_id];
  return { accountIds, kind, status, from, to, gatewayPayment: query.gateway_payment ?? null };
}
