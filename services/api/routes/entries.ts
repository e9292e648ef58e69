import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { balanceOf } from "../../../shared/core/line/credit-line.ts";
import { listEntries } from "../../../shared/ledger/books/list-entries.ts";
import { cursorsOf, pageOf, WHOLE } from "../cursor.ts";
import { accountPath, count, credits, instant, listOf, page } from "../wire.ts";
import { REFUSALS, type RouteParts, readOfAccount, typed } from "./parts.ts";

const entryView = z.object({
  sequence: count,
  kind: z.enum(["grant", "expiry", "add_on_charge", "adjustment", "reversal"]),
  credits: credits.meta({ description: "What it did to the balance, signed." }),
  balance: credits.meta({ description: "After it." }),
  used_before: credits.meta({ description: "Usage between the entry before it and this one." }),
  lot_id: z.string().nullable(),
  reference: z.string(),
  due_at: instant,
  posted_at: instant,
});

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
        response: { 200: listOf(entryView), ...REFUSALS },
      },
    },
    ({ params: { account_id }, query: { limit, cursor } }) =>
      readOfAccount(parts, account_id, async (transaction) => {
        const from = cursors.read(cursor)?.[0];
        const before = from === undefined ? null : BigInt(from);
        const read = await listEntries(transaction, account_id, { before, limit: limit + 1 });
        const entries = read.reverse().map((entry) => ({
          sequence: entry.sequence,
          kind: entry.kind,
          credits: entry.credits,
          balance: balanceOf(entry),
          used_before: entry.usedBefore,
          lot_id: entry.lotId,
          reference: entry.reference,
          due_at: entry.dueAt,
          posted_at: entry.postedAt,
        }));
        return pageOf(entries, limit, (last) => cursors.of(last.sequence));
      }),
  );
}
