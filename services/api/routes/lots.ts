import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import {
  findLot,
  type LotUse,
  listLots,
  readLosses,
  useOf,
} from "../../../shared/ledger/books/granted-lots.ts";
import { usageAcross } from "../../../shared/ledger/usage/explain.ts";
import { cursorsOf, pageOf, SMALL, WHOLE } from "../cursor.ts";
import { unknown } from "../problem.ts";
import { accountId, accountPath, credits, id, instant, listOf, page } from "../wire.ts";
import { REFUSALS, type RouteParts, readOfAccount, typed } from "./parts.ts";
import { recordView, toRecordView } from "./usage-view.ts";

const lotView = z.object({
  lot_id: z.string(),
  source: z.enum(["plan", "top_up", "promotion", "adjustment"]),
  reference: z.string(),
  credits,
  start: credits.meta({ description: "Where its stretch of the line begins." }),
  end: credits,
  used: credits,
  expired: credits,
  withdrawn: credits,
  remaining: credits,
  granted_at: instant,
  expires_at: instant.nullable(),
});

function toLotView(lot: GrantedLot, use: LotUse) {
  const { lotId, source, reference, credits: all, start, end, grantedAt, expiresAt } = lot;
  const { used, expired, withdrawn, remaining } = use;
  return {
    ...{ lot_id: lotId, source, reference, credits: all, start, end },
    ...{ used, expired, withdrawn, remaining },
    ...{ granted_at: grantedAt, expires_at: expiresAt },
  };
}

const asked = page.extend({
  live: z.stringbool().default(false).meta({ description: "Only lots that something is left of." }),
});

const cursorsOfLots = cursorsOf("lots", [SMALL]);
const cursorsOfUsage = cursorsOf("lot_usage", [WHOLE]);

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
        querystring: asked,
        response: { 200: listOf(lotView), ...REFUSALS },
      },
    },
    ({ params: { account_id }, query: { limit, cursor, live } }) =>
      readOfAccount(parts, account_id, async (transaction, { account }) => {
        const skipped = Number(cursorsOfLots.read(cursor)?.[0] ?? 0);
        const losses = await readLosses(transaction, account_id);
        const lots = (await listLots(transaction, account_id))
          .map((lot) => toLotView(lot, useOf(lot, account.position, losses)))
          .filter(({ remaining }) => !live || remaining > 0n);
        return pageOf(lots.slice(skipped, skipped + limit + 1), limit, () =>
          cursorsOfLots.of(skipped + limit),
        );
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
        response: { 200: listOf(recordView), ...REFUSALS },
      },
    },
    ({ params: { account_id, lot_id }, query: { limit, cursor } }) =>
      readOfAccount(parts, account_id, async (transaction) => {
        const lot = await findLot(transaction, account_id, lot_id);
        if (lot === null) throw unknown("lot_id", lot_id);
        const after = BigInt(cursorsOfUsage.read(cursor)?.[0] ?? -1);
        const read = await usageAcross(transaction, account_id, lot, { after, limit: limit + 1 });
        return pageOf(read.map(toRecordView), limit, (last) => cursorsOfUsage.of(last.start));
      }),
  );
}
