import { z } from "zod";
import { cursorsOf, pageFromFirst, pageOf, WHOLE } from "../../../shared/contract/cursor.ts";
import { lot } from "../../../shared/contract/lot.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { toUsageRecord, usageRecord } from "../../../shared/contract/usage-record.ts";
import { accountId, id } from "../../../shared/contract/wire.ts";
import { findLot, listLots, readLosses, useOf } from "../../../shared/ledger/books/granted-lots.ts";
import { usageAcross } from "../../../shared/ledger/usage/explain.ts";
import { lateUsageOf } from "../../../shared/ledger/usage/explain-late.ts";
import { refuse } from "../problem.ts";
import { HEAVY_READ, READ, readOfAccount, route } from "./route.ts";

const filter = page.extend({
  live: z.stringbool().default(false).meta({ description: "Only lots with credits remaining." }),
});

const cursors = cursorsOf("lot_usage", [WHOLE]);

export const lotRoutes = [
  route(
    {
      ...READ,
      path: "/v1/accounts/:account_id/lots",
      tag: "credits",
      summary: "List the lots of the credit line, oldest first",
      query: filter,
      response: { 200: listOf(lot) },
    },
    ({ params: { account_id }, query: { live, ...range } }, context) =>
      readOfAccount(context, account_id, async (transaction, { account }) => {
        const at = context.now();
        const losses = await readLosses(transaction, account_id);
        const lots = (await listLots(transaction, account_id))
          .map((each) => ({ ...each, ...useOf(each, { ...account, at }, losses) }))
          .filter(({ remaining }) => !live || remaining > 0n);
        return pageFromFirst("lots", range, async (count) => lots.slice(0, count));
      }),
  ),
  route(
    {
      ...HEAVY_READ,
      path: "/v1/accounts/:account_id/lots/:lot_id/usage",
      tag: "credits",
      summary: "List the usage that a lot paid for, oldest first",
      params: z.object({ account_id: accountId, lot_id: id("lot_id") }),
      query: page,
      response: { 200: listOf(usageRecord) },
    },
    ({ params: { account_id, lot_id }, query: { limit, cursor } }, context) =>
      readOfAccount(context, account_id, async (transaction) => {
        const paying = await findLot(transaction, account_id, lot_id);
        if (paying === null) throw refuse({ kind: "unknown_lot", lotId: lot_id });
        const range = { after: BigInt(cursors.read(cursor)?.[0] ?? -1), limit: limit + 1 };
        const records = await usageAcross(transaction, account_id, paying, range);
        const shown = pageOf(records.map(toUsageRecord), limit, (last) => cursors.of(last.start));
        if (shown.nextCursor !== null) return shown;
        // Late usage that got the lot's expiry back drew elsewhere on the line, and comes last.
        const late = await lateUsageOf(transaction, account_id, lot_id);
        return { ...shown, items: [...shown.items, ...late.map(toUsageRecord)] };
      }),
  ),
];
