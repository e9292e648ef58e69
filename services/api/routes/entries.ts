import { entry, entryPage } from "../../../shared/contract/entry.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { listEntries } from "../../../shared/ledger/books/list-entries.ts";
import { READ, readOfAccount, route } from "./route.ts";

export const entryRoutes = [
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/entries",
      tag: "credits",
      summary: "List entries (every change of the balance except usage), newest first",
      query: page,
      response: { 200: listOf(entry) },
    },
    ({ params: { account_id }, query }, context) =>
      readOfAccount(context, account_id, (transaction) =>
        entryPage(query, (range) => listEntries(transaction, account_id, range)),
      ),
  ),
];
