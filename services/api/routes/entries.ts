import type { FastifyInstance } from "fastify";
import { entry, toEntry } from "../../../shared/contract/entry.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { listEntries } from "../../../shared/ledger/books/list-entries.ts";
import { cursorsOf, pageOf, WHOLE } from "../cursor.ts";
import { accountPath, REFUSALS, type RouteParts, readOfAccount, typed } from "./parts.ts";

const cursors = cursorsOf("entries", [WHOLE]);

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
    ({ params: { account_id }, query: { limit, cursor } }) =>
      readOfAccount(parts, account_id, async (transaction) => {
        const from = cursors.read(cursor)?.[0];
        const before = from === undefined ? null : BigInt(from);
        const read = await listEntries(transaction, account_id, { before, limit: limit + 1 });
        const entries = read.reverse().map(toEntry);
        return pageOf(entries, limit, (last) => cursors.of(last.sequence));
      }),
  );
}
