import { z } from "zod";
import {
  CSV_PAGE,
  csvFileName,
  csvText,
  pagesOf,
  slicesOf,
} from "../../../shared/contract/csv-export.ts";
import { LOTS_CSV, USAGE_RECORDS_CSV } from "../../../shared/contract/csv-tables.ts";
import { cursorsOf, pageFromFirst, pageOf, WHOLE } from "../../../shared/contract/cursor.ts";
import { lot } from "../../../shared/contract/lot.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { toUsageRecord, usageOfLot } from "../../../shared/contract/usage-record.ts";
import { accountId, id } from "../../../shared/contract/wire.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { findLot, listLots, readLosses, useOf } from "../../../shared/ledger/books/granted-lots.ts";
import type { Transaction } from "../../../shared/ledger/postgres/database.ts";
import { type UsageRecord, usageAcross } from "../../../shared/ledger/usage/explain.ts";
import { lateUsageOf, pastOfLot } from "../../../shared/ledger/usage/explain-late.ts";
import { usagePastUntil } from "../../../shared/ledger/usage/past-usage.ts";
import { refuse } from "../problem.ts";
import {
  HEAVY_READ,
  READ,
  type RouteContext,
  readOfAccount,
  readUsageOfAccount,
  route,
} from "./route.ts";

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
      pageFromFirst("lots", range, async (count) =>
        (await lotsOf(context, account_id, live)).slice(0, count),
      ),
    ({ params: { account_id }, query: { live } }, context) => {
      const name = csvFileName(account_id, "lots", undefined, context.now());
      return { name, text: (view) => csvText(LOTS_CSV, lotPages(context, account_id, live), view) };
    },
  ),
  route(
    {
      ...HEAVY_READ,
      path: "/v1/accounts/:account_id/lots/:lot_id/usage",
      tag: "credits",
      summary: "List the usage that a lot paid for, oldest first",
      params: z.object({ account_id: accountId, lot_id: id("lot_id") }),
      query: page,
      response: { 200: usageOfLot },
    },
    ({ params: { account_id, lot_id }, query: { limit, cursor } }, context) =>
      readUsageOfAccount(context, account_id, async (transaction) => {
        const paying = await findPaying(transaction, account_id, lot_id);
        const range = { after: BigInt(cursors.read(cursor)?.[0] ?? -1), limit: limit + 1 };
        const records = await usageAcross(transaction, account_id, paying, range);
        const late = await lateUsageOf(transaction, account_id, lot_id);
        const pastRetention = await pastOfLot(transaction, account_id, paying, late);
        const shown = pageOf(records.map(toUsageRecord), limit, (last) => cursors.of(last.start));
        if (shown.nextCursor !== null) return { ...shown, pastRetention };
        // Late usage that got the lot's expiry back drew elsewhere on the line, and comes last.
        const items = [...shown.items, ...late.usage.map(toUsageRecord)];
        return { ...shown, items, pastRetention };
      }),
    ({ params: { account_id, lot_id } }, context) => ({
      name: nameOfUsage(context, account_id, lot_id),
      text: (view) => csvText(USAGE_RECORDS_CSV, usagePages(context, account_id, lot_id), view),
    }),
  ),
];

/** Lots with what became of them, oldest first. */
function lotsOf(context: RouteContext, accountId: AccountId, live: boolean) {
  return readOfAccount(context, accountId, async (transaction, { account }) => {
    const at = context.now();
    const losses = await readLosses(transaction, accountId);
    const lots = await listLots(transaction, accountId);
    return lots
      .map((each) => ({ ...each, ...useOf(each, { ...account, at }, losses) }))
      .filter(({ remaining }) => !live || remaining > 0n);
  });
}

async function* lotPages(...request: Parameters<typeof lotsOf>) {
  yield* slicesOf(await lotsOf(...request));
}

/** The usage that a lot paid for, as far as it is kept. Late usage, which got back of its expiry, comes last. */
async function* usagePages(context: RouteContext, accountId: AccountId, lotId: string) {
  yield* pagesOf<UsageRecord>((last) =>
    readUsageOfAccount(context, accountId, async (transaction) => {
      const paying = await findPaying(transaction, accountId, lotId);
      const range = { after: last?.drawn.start ?? -1n, limit: CSV_PAGE };
      return usageAcross(transaction, accountId, paying, range);
    }),
  );
  yield* slicesOf(
    await readUsageOfAccount(context, accountId, async (transaction) => {
      const { usage } = await lateUsageOf(transaction, accountId, lotId);
      return usage;
    }),
  );
}

/** Where some of the usage is past retention, the name says from when on all of it is in the file. */
async function nameOfUsage(context: RouteContext, accountId: AccountId, lotId: string) {
  const from = await readUsageOfAccount(context, accountId, async (transaction) => {
    const paying = await findPaying(transaction, accountId, lotId);
    const late = await lateUsageOf(transaction, accountId, lotId);
    if ((await pastOfLot(transaction, accountId, paying, late)) === 0n) return null;
    return usagePastUntil(transaction, accountId);
  });
  return csvFileName(accountId, `usage-of-lot-${lotId}`, from ?? undefined, context.now());
}

async function findPaying(transaction: Transaction, accountId: AccountId, lotId: string) {
  const paying = await findLot(transaction, accountId, lotId);
  if (paying === null) throw refuse({ kind: "unknown_lot", lotId });
  return paying;
}
