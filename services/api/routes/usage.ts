import { z } from "zod";
import {
  CSV_PAGE,
  csvFileName,
  csvText,
  pagesOf,
  slicesOf,
} from "../../../shared/contract/csv-export.ts";
import {
  USAGE_CSV,
  USAGE_RECORDS_CSV,
  type UsageRow,
} from "../../../shared/contract/csv-tables.ts";
import { cursorsOf, pageOf, SMALL, WHOLE } from "../../../shared/contract/cursor.ts";
import { listOf, page } from "../../../shared/contract/page.ts";
import { usage } from "../../../shared/contract/usage.ts";
import {
  explainedUsage,
  toExplainedUsage,
  toUsageRecord,
  usageRecord,
} from "../../../shared/contract/usage-record.ts";
import { accountId, id, instant, words } from "../../../shared/contract/wire.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import { explainedRateOf } from "../../../shared/core/offer/explained-rate.ts";
import { cardOf } from "../../../shared/core/offer/rates.ts";
import { MAX_SOURCE_LENGTH } from "../../../shared/core/usage/usage-event.ts";
import { withOrigins } from "../../../shared/ledger/catalogue/rate-origins.ts";
import { findMeteredEvent } from "../../../shared/ledger/usage/explain.ts";
import { withCounted } from "../../../shared/ledger/usage/explain-counted.ts";
import { lotsThatPaid } from "../../../shared/ledger/usage/explain-late.ts";
import { listUsage } from "../../../shared/ledger/usage/list.ts";
import { sumAddOns } from "../../../shared/ledger/usage/sum-add-ons.ts";
import {
  sumUsage,
  type UsageGroup,
  type UsageTotal,
} from "../../../shared/ledger/usage/sum-usage.ts";
import { badRequest, refuse } from "../problem.ts";
import { HEAVY_READ, type RouteContext, readUsageOfAccount, route } from "./route.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const LONGEST_RANGE_MS = 400 * DAY_MS;
const USUAL_RANGE_MS = 30 * DAY_MS;
const MOST_BUCKETS = 20_000;

const range = {
  from: instant.optional().meta({ description: "Default: 30 days before `to`." }),
  to: instant.optional().meta({ description: "Exclusive. Default: now." }),
};

const summed = z.strictObject({
  ...range,
  by: z.enum(["hour", "day", "month"]).optional().meta({
    description: "In the account's time zone. Default: one bucket for the whole range.",
  }),
  group: z.enum(["meter", "source", "dimension"]).default("meter"),
  dimension: words(200).optional(),
});

const cursors = cursorsOf("usage_records", [WHOLE, WHOLE, SMALL]);

export const usageRoutes = [
  route(
    {
      ...HEAVY_READ,
      path: "/v1/accounts/:account_id/usage",
      tag: "usage",
      summary: "Sum up what credits were spent on",
      description:
        "Sums are exact, whatever the range and the group. By meter they are read from hourly sums, other groups and parts of an hour from single records, which takes longer, and is refused of a time whose records are past retention (`usage_past_retention`).",
      query: summed,
      response: { 200: usage },
    },
    ({ params: { account_id }, query }, context) =>
      sumsOf(context, account_id, { ...query, ...rangeOf(query, context.now()) }),
    ({ params: { account_id }, query }, context) => {
      const range = rangeOf(query, context.now());
      const name = csvFileName(account_id, `usage-by-${query.group}`, range.from, range.to);
      const sums = usageRows(context, account_id, { ...query, ...range });
      return { name, text: (view) => csvText(USAGE_CSV, sums, view) };
    },
  ),
  route(
    {
      ...HEAVY_READ,
      path: "/v1/accounts/:account_id/usage-records",
      tag: "usage",
      summary:
        "List metered events, most recently metered first; one of several meters has a record for each",
      query: page.extend({ ...range, meter: id("meter").optional() }),
      response: { 200: listOf(usageRecord) },
    },
    ({ params: { account_id }, query }, context) =>
      readUsageOfAccount(context, account_id, async (transaction) => {
        const { limit, cursor, meter = null } = query;
        const filter = { ...rangeOf(query, context.now()), meter };
        const [start = "0", version = "0", place = "0"] = cursors.read(cursor) ?? [];
        const before =
          cursor === undefined
            ? null
            : { start: BigInt(start), version: BigInt(version), place: Number(place) };
        const count = { before, limit: limit + 1 };
        const records = await listUsage(transaction, account_id, filter, count);
        return pageOf(records.map(toUsageRecord), limit, ({ at }) =>
          cursors.of(at.start, at.version, at.place),
        );
      }),
    ({ params: { account_id }, query: { meter = null, ...query } }, context) => {
      const range = rangeOf(query, context.now());
      // What is metered meanwhile comes before the first page, so the pages fit together.
      const pages = pagesOf<Awaited<ReturnType<typeof listUsage>>[number]>((last) =>
        readUsageOfAccount(context, account_id, (transaction) =>
          listUsage(
            transaction,
            account_id,
            { ...range, meter },
            {
              before: last?.at ?? null,
              limit: CSV_PAGE,
            },
          ),
        ),
      );
      const what = meter === null ? "usage" : `usage-of-${meter}`;
      const name = csvFileName(account_id, what, range.from, range.to);
      return { name, text: (view) => csvText(USAGE_RECORDS_CSV, pages, view) };
    },
  ),
  route(
    {
      ...HEAVY_READ,
      path: "/v1/accounts/:account_id/events/:event_id",
      tag: "usage",
      summary: "Explain a metered event: what its meters cost, at which rates, and which lots paid",
      params: z.object({ account_id: accountId, event_id: id("event_id") }),
      query: z.strictObject({
        source: words(MAX_SOURCE_LENGTH).optional().meta({
          description: "Needed where events of several sources have the id.",
        }),
      }),
      response: { 200: explainedUsage },
    },
    ({ params: { account_id, event_id }, query: { source = null } }, context) =>
      readUsageOfAccount(context, account_id, async (transaction) => {
        const named = { accountId: account_id, eventId: event_id, source };
        const event = await findMeteredEvent(transaction, named);
        if ("kind" in event) throw refuse(event);
        const card = cardOf(await context.readRates(transaction), account_id);
        const rates = event.lines.map((line) => explainedRateOf(card, { ...event, ...line }));
        const counted = await withCounted(transaction, account_id, card, event, rates);
        const lots = await lotsThatPaid(transaction, account_id, event);
        return toExplainedUsage(event, lots, await withOrigins(transaction, counted));
      }),
  ),
];

type Summed = z.output<typeof summed> & { readonly from: Instant; readonly to: Instant };

/** Throws a Problem. */
function sumsOf(context: RouteContext, accountId: AccountId, query: Summed) {
  return readUsageOfAccount(context, accountId, async (transaction, { account }) => {
    const { from, to, by: step = null } = query;
    const range = { from, to, step, timeZone: account.timeZone };
    const limit = MOST_BUCKETS + 1;
    const by = { ...range, group: groupOf(query), limit };
    const buckets = await sumUsage(transaction, accountId, by);
    if (buckets.length > MOST_BUCKETS) throw refuse({ kind: "range_too_large" });
    const addOns = await sumAddOns(transaction, accountId, range);
    const sums = { total: creditsOf(buckets), addOnsTotal: creditsOf(addOns) };
    return { ...account, from, to, ...sums, buckets, addOns };
  });
}

async function* usageRows(
  ...request: Parameters<typeof sumsOf>
): AsyncGenerator<readonly UsageRow[]> {
  const { buckets, addOns } = await sumsOf(...request);
  yield* slicesOf([
    ...buckets.map((sum) => ({ ...sum, kind: "usage" as const })),
    ...addOns.map((sum) => ({ ...sum, kind: "add_on" as const })),
  ]);
}

function creditsOf(totals: readonly UsageTotal[]): bigint {
  return totals.reduce((sum, { credits }) => sum + credits, 0n);
}

function groupOf({ group, dimension }: z.output<typeof summed>): UsageGroup {
  if (group === "dimension" && dimension !== undefined) return { dimension };
  if (group !== "dimension" && dimension === undefined) return group;
  throw badRequest("dimension", "is required with group=dimension, and only then");
}

function rangeOf(
  { from, to }: { readonly from?: number | undefined; readonly to?: number | undefined },
  now: number,
): { from: number; to: number } {
  const until = to ?? now;
  const since = from ?? until - USUAL_RANGE_MS;
  if (since > until) throw badRequest("from", "is after to");
  if (until - since > LONGEST_RANGE_MS) {
    throw badRequest("from", "is more than 400 days before to; choose a shorter range");
  }
  return { from: since, to: until };
}
