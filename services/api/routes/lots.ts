import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { cursorsOf, pageFromFirst, pageOf, WHOLE } from "../../../shared/contract/cursor.ts";
import { lot } from "../../../shared/contract/lot.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { toUsageRecord, usageRecord } from "../../../shared/contract/usage-record.ts";
import { accountId, id } from "../../../shared/contract/wire.ts";
import { findLot, listLots, readLosses, useOf } from "../../../shared/ledger/books/granted-lots.ts";
import { usageAcross } from "../../../shared/ledger/usage/explain.ts";
import { refuse } from "../problem.ts";
import { accountPath, REFUSALS, type RouteParts, readOfAccount, typed } from "./parts.ts";

const asking = page.extend({
  live: z.stringbool().default(false).meta({ description: "Only lots that something is left of." }),
});

const cursors = cursorsOf("lot_usage", [WHOLE]);

export function lotRoutes(app: FastifyInstance, parts: RouteParts): void {
  const tags = ["credits"];
  const config = { access: "read", byToken: true } as const;

  typed(app).get(
    "/v1/accounts/:account_id/lots",
    {
      config,
      schema: {
        summary: "The credit line: lots, oldest first",
        tags,
        params: accountPath,
        querystring: asking,
        response: { 200: listOf(lot), ...REFUSALS },
      },
    },
    ({ params: { account_id }, query: { live, ...asked } }) =>
      readOfAccount(parts, account_id, async (transaction, { account }) => {
        const losses = await readLosses(transaction, account_id);
        const lots = (await listLots(transaction, account_id))
          .map((one) => ({ ...one, ...useOf(one, account.position, losses) }))
          .filter(({ remaining }) => !live || remaining > 0n);
        return pageFromFirst("lots", asked, async (count) => lots.slice(0, count));
      }),
  );

  typed(app).get(
    "/v1/accounts/:account_id/lots/:lot_id/usage",
    {
      config,
      schema: {
        summary: "The usage that a lot paid for, oldest first",
        tags,
        params: z.object({ account_id: accountId, lot_id: id("lot_id") }),
        querystring: page,
        response: { 200: listOf(usageRecord), ...REFUSALS },
      },
    },
    ({ params: { account_id, lot_id }, query: { limit, cursor } }) =>
      readOfAccount(parts, account_id, async (transaction) => {
        const paying = await findLot(transaction, account_id, lot_id);
        if (paying === null) throw refuse({ kind: "unknown_lot", lotId: lot_id });
        const after = BigInt(cursors.read(cursor)?.[0] ?? -1);
        const read = await usageAcross(transaction, account_id, paying, {
          ...{ after, limit: limit + 1 },
        });
        return pageOf(read.map(toUsageRecord), limit, (last) => cursors.of(last.start));
      }),
  );
}
