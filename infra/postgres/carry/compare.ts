import { columnsOf } from "../../../shared/ledger/postgres/array-literal.ts";
import { queryRows, type Transaction } from "../../../shared/ledger/postgres/database.ts";

/** The usage in usage_record and draw is not what it should be, so that it cannot be carried. */
export class UncarriedUsage extends Error {
  constructor(what: string) {
    super(
      `${what}. Usage was not carried over to pages, and the books are as they were. Run "drawdown reconcile --repair" with the version before, then set-up again.`,
    );
  }
}

const MOST_LISTED = 5;

interface NamedEvent {
  readonly accountId: string;
  readonly eventId: string;
}

// The repair of a record that has no event in the topic removes it, and its draw goes on naming it.
const REMOVED = `
  SELECT missing.account_id AS "accountId", missing.event_id AS "eventId"
  FROM unnest($1::text[], $2::text[]) AS missing (account_id, event_id)
  WHERE NOT EXISTS (
    SELECT FROM repair
    WHERE account_id = missing.account_id AND what = 'record_removed'
      AND detail #>> '{record,eventId}' = missing.event_id)`;

/** Refuses events that draws name and that have no record, unless a repair has removed it. */
export async function refuseMissing(
  client: Transaction,
  missing: readonly NamedEvent[],
): Promise<void> {
  const values = columnsOf(missing, "accountId", "eventId");
  const refused = await queryRows<NamedEvent>(client, REMOVED, values);
  if (refused.length > 0) {
    throw new UncarriedUsage(`draw names ${listed(refused)}, which usage_record does not have`);
  }
}

/** The tables are read whole, which the settings of the session discourage. */
const READ_WHOLE = "SET enable_seqscan = on; SET enable_hashjoin = on";
const READ_BY_INDEX = "RESET enable_seqscan; RESET enable_hashjoin";

/** Runs a query that reads whole tables. */
export async function onWholeTables<Row extends object>(
  client: Transaction,
  text: string,
): Promise<Row[]> {
  await client.query(READ_WHOLE);
  const rows = await queryRows<Row>(client, text);
  await client.query(READ_BY_INDEX);
  return rows;
}

const UNNAMED = `
  SELECT record.account_id AS "accountId", record.event_id AS "eventId"
  FROM usage_record AS record
  WHERE NOT EXISTS (
    SELECT
    FROM (
      SELECT account_id, drawn_at, named.event_id, coalesce(of_source, sources[1]) AS source
      FROM draw CROSS JOIN unnest(event_ids, sources) AS named (event_id, of_source)
    ) AS drawn
    WHERE drawn.account_id = record.account_id AND drawn.event_id = record.event_id
      AND CASE
            WHEN drawn.source IS NULL THEN drawn.drawn_at = record.metered_at
            ELSE drawn.source = record.source
          END)
  LIMIT ${MOST_LISTED}`;

/** Refuses records that no draw names. */
export async function refuseUnnamed(client: Transaction): Promise<void> {
  const unnamed = await onWholeTables<NamedEvent>(client, UNNAMED);
  if (unnamed.length > 0) {
    throw new UncarriedUsage(`usage_record has ${listed(unnamed)}, which no draw names`);
  }
}

function listed(events: readonly NamedEvent[]): string {
  const names = events
    .slice(0, MOST_LISTED)
    .map(({ accountId, eventId }) => `event ${eventId} of account ${accountId}`);
  return events.length > MOST_LISTED ? `${names.join(", ")} and others` : names.join(", ");
}

const SUMS = "account_id, events, quantity, credits, given_back";

const TOTALS = `
  SELECT coalesce(old.account_id, new.account_id) AS "accountId",
         coalesce(old.events, 0)::text AS "inRecords", coalesce(new.events, 0)::text AS "onPages"
  FROM (
    SELECT account_id, count(*), sum(quantity), sum(credits), sum(coalesce(given_back, 0))
    FROM usage_record
    GROUP BY account_id
  ) AS old (${SUMS})
  FULL JOIN (
    SELECT account_id, sum(cardinality(quantities)),
           sum((SELECT sum(quantity) FROM unnest(quantities) AS quantity)),
           sum((SELECT sum(credit) FROM unnest(credits) AS credit)),
           sum((SELECT coalesce(sum(given), 0) FROM unnest(given_back) AS given))
    FROM usage_page
    GROUP BY account_id
  ) AS new (${SUMS}) USING (account_id)
  WHERE (old.events, old.quantity, old.credits, old.given_back)
        IS DISTINCT FROM (new.events, new.quantity, new.credits, new.given_back)
  LIMIT 1`;

/** Refuses pages that have another number of events, or other sums of an account than its records. */
export async function refuseOtherTotals(client: Transaction): Promise<void> {
  type Row = { readonly accountId: string; readonly inRecords: string; readonly onPages: string };
  const [found] = await onWholeTables<Row>(client, TOTALS);
  if (found === undefined) return;
  await refuseUnnamed(client);
  const { accountId, inRecords, onPages } = found;
  throw new UncarriedUsage(
    `account ${accountId} has ${inRecords} records in usage_record, and ${onPages} on pages with other sums`,
  );
}
