import type { AccountId, Instant } from "../../core/line/account.ts";
import type { ExplainedRate } from "../../core/offer/explained-rate.ts";
import { countedMonth } from "../../core/offer/month-price.ts";
import {
  type AccountCard,
  countsMonth,
  isOwn,
  isTable,
  versionOf,
} from "../../core/offer/rate-card.ts";
import { queryRow, type Transaction } from "../postgres/database.ts";
import type { MeteredEvent, UsageRecord } from "./explain.ts";
import { OF_ACCOUNT, occurredIn } from "./walk-records.ts";

/** What was used from a line of an event on, in the order in which the account's usage drew. */
const SINCE = `
  WITH line AS (
    SELECT record.page_start, record.page_version, record.place
    ${OF_ACCOUNT} AND record.page_start <= $6 AND record.start_position = $6
      AND record.meter = $2 AND record.kafka_partition = $7 AND record.kafka_offset = $8
    LIMIT 1
  )
  SELECT (
    SELECT quantity
    FROM month_usage
    WHERE account_id = $1 AND meter = $2 AND valid_from = to_timestamp($3::float8 / 1000)
      AND month = to_timestamp($9::float8 / 1000)
  )::text AS counted, (
    SELECT sum(record.quantity::numeric)
    ${OF_ACCOUNT} AND record.meter = $2
      AND ${occurredIn("to_timestamp($4::float8 / 1000)", "to_timestamp($5::float8 / 1000)")}
      AND (record.page_start, record.page_version, record.place) >= (SELECT * FROM line)
  )::text AS since`;

/**
 * Adds to the rates of an event's lines how much of their month was counted before them and with them: what is counted
 * now less what was used since, so that it is known although older usage is past retention.
 */
export async function withCounted(
  transaction: Transaction,
  accountId: AccountId,
  card: AccountCard,
  { lines }: MeteredEvent,
  rates: readonly (ExplainedRate | null)[],
): Promise<(ExplainedRate | null)[]> {
  const explained: (ExplainedRate | null)[] = [];
  for (const [at, one] of rates.entries()) {
    const line = lines[at];
    const counted =
      one === null || line === undefined
        ? null
        : await countedAt(transaction, accountId, card, line, one);
    explained.push(one && (counted === null ? one : { ...one, counted }));
  }
  return explained;
}

/** Null: the rate counts nothing, or shares its version with some that do not. */
async function countedAt(
  transaction: Transaction,
  accountId: AccountId,
  card: AccountCard,
  { meter, quantity, occurredAt, drawn, partition, offset }: UsageRecord,
  { rate }: ExplainedRate,
): Promise<NonNullable<ExplainedRate["counted"]> | null> {
  const version = versionOf(rate);
  if (!countsMonth(rate)) return null;
  if (isOwn(version) && version.rates !== null && isTable(version.rates)) return null;
  const { month } = countedMonth(version, occurredAt);
  const newer = card.get(meter)?.filter(({ validFrom }) => validFrom > version.validFrom);
  const from = Math.max(month, version.validFrom);
  const to = Math.min(nextMonth(month), ...(newer ?? []).map(({ validFrom }) => validFrom));
  const values = [
    accountId,
    meter,
    version.validFrom,
    from,
    to,
    drawn.start,
    partition,
    offset,
    month,
  ];
  const found = await queryRow<{ counted: string | null; since: string | null }>(
    transaction,
    SINCE,
    values,
  );
  if (found === null || found.counted === null || found.since === null) return null;
  const before = BigInt(found.counted) - BigInt(found.since);
  return { month, from: before, to: before + quantity };
}

function nextMonth(month: Instant): Instant {
  const day = new Date(month);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1);
}
