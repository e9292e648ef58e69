import type { FastifyInstance } from "fastify";
import { entry, entryPage } from "../../../shared/contract/entry.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { listEntries } from "../../../shared/ledger/books/list-entries.ts";
import { accountPath, REFUSALS, type RouteParts, readOfAccount, typed } from "./parts.ts";

export function entryRoutes(app: FastifyInstance, parts: RouteParts): void {
  typed(app).get(
    "/v1/accounts/:account_id/entries",
    {
      config: { access: "read", byToken: true },
      schema: {
        summary: "What was posted beside usage, the newest first",
        tags: ["credits"],
        params: accountPath,
        querystring: page,
        response: { 200: listOf(entry), ...REFUSALS },
      },
    },
    ({ params: { account_id }, query }) =>
      readOfAccount(parts, account_id, (transaction) =>
        entryPage(query, (asked) => listEntries(transaction, account_id, asked)),
      ),
  );
}
