import { CSV_PAGE, csvFileName, csvText, pagesOf } from "../../../shared/contract/csv-export.ts";
import { ENTRIES_CSV } from "../../../shared/contract/csv-tables.ts";
import { entry, entryPage, toEntry } from "../../../shared/contract/entry.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { instant } from "../../../shared/contract/wire.ts";
import { listEntries, type PostedEntry } from "../../../shared/ledger/books/list-entries.ts";
import { READ, readOfAccount, route } from "./route.ts";

const posted = page.extend({
  from: instant.optional().meta({ description: "Posted at this instant or later. Default: all." }),
  to: instant.optional().meta({ description: "Posted before this instant. Default: all." }),
});

export const entryRoutes = [
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/entries",
      tag: "credits",
      summary: "List entries (every change of the balance except usage), newest first",
      query: posted,
      response: { 200: listOf(entry) },
    },
    ({ params: { account_id }, query: { from, to, ...asked } }, context) =>
      readOfAccount(context, account_id, (transaction) =>
        entryPage(asked, (range) => listEntries(transaction, account_id, { ...range, from, to })),
      ),
    ({ params: { account_id }, query: { from, to } }, context) => {
      const pages = pagesOf<ReturnType<typeof toEntry<PostedEntry>>>((last) =>
        readOfAccount(context, account_id, async (transaction) => {
          const range = { from, to, before: last?.sequence ?? null, limit: CSV_PAGE };
          const entries = await listEntries(transaction, account_id, range);
          return entries.toReversed().map(toEntry);
        }),
      );
      const name = csvFileName(account_id, "entries", from, to ?? context.now());
      return { name, text: (view) => csvText(ENTRIES_CSV, pages, view) };
    },
  ),
];
