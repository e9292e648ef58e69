import { REFERENCE, TOP_UP_LOT } from "../../core/line/reference.ts";
import type { Transaction } from "../postgres/database.ts";

/** A statement that erases some rows of account $1 in a table. */
export interface EraseStep {
  readonly table: string;
  readonly text: string;
}

/** What a person wrote: not the references that Drawdown forms itself. */
const WRITTEN = `(
  kind = 'grant' AND lot_id IN (
    SELECT lot_id FROM lot WHERE account_id = $1 AND source IN ('promotion', 'adjustment'))
  OR kind = 'adjustment'
    AND NOT (coalesce(lot_id, '') LIKE '${TOP_UP_LOT}%' AND reference ~ '${REFERENCE.takenBack.pattern}')
)`;

/** How many rows a transaction erases at most. */
export const ROWS_PER_TRANSACTION = 500;

function update(table: string, set: string, { where }: { readonly where: string }): EraseStep {
  const text = `${pickedOf(table, where)} UPDATE ${table} SET ${set} FROM picked WHERE ${table}.ctid = picked.ctid`;
  return { table, text };
}

function remove(table: string, where: string): EraseStep {
  return {
    table,
    text: `${pickedOf(table, where)} DELETE FROM ${table} USING picked WHERE ${table}.ctid = picked.ctid`,
  };
}

// A row stays where it lies while it is locked. `given` says of what types the parameters are, used or not.
function pickedOf(table: string, where: string): string {
  return `
    WITH given AS (SELECT $1::text, $2::bytea, $3::text[]), picked AS MATERIALIZED (
      SELECT ctid
      FROM ${table}
      WHERE account_id = $1 AND (${where})
      LIMIT ${ROWS_PER_TRANSACTION}
      FOR UPDATE
    )`;
}

/**
 * Of all tables but those of usage, with the key $2 and the names of the kept dimensions $3. Each finds only rows
 * that are not erased yet, so a repeat changes nothing.
 */
export const ERASE_STEPS: readonly EraseStep[] = [
  update("hold", "dimensions = erased_dimensions($2, $3, dimensions)", {
    where: "dimensions <> erased_dimensions($2, $3, dimensions)",
  }),
  update("entry", "reference = erased_reference($1, reference)", {
    where: `${WRITTEN} AND reference <> erased_reference($1, reference)`,
  }),
  update("lot", "reference = erased_reference($1, reference)", {
    where: `source IN ('promotion', 'adjustment') AND reference <> erased_reference($1, reference)`,
  }),
  update("own_terms", "reason = 'erased'", { where: "reason <> 'erased'" }),
  update("payment_method_change", "customer = 'erased', method = 'erased'", {
    where: "customer <> 'erased' OR method <> 'erased'",
  }),
  update("payment", "customer = NULL, method = NULL, reason = ''", {
    where: `status NOT IN ('pending', 'retrying')
      AND (num_nonnulls(customer, method) > 0 OR reason <> '')`,
  }),
  update("refund", "reason = ''", { where: "reason <> ''" }),
  update("auto_top_up", "stopped = 'erased'", { where: "stopped <> 'erased'" }),
  update("top_up_notice", "reason = ''", { where: "reason <> ''" }),
  remove("alert", "kind = 'budget'"),
  update("alert", "reason = ''", { where: "reason <> ''" }),
  update(
    "dead_letter",
    `detail = '', key = NULL, payload = '', payload_size = NULL, payload_sha256 = NULL, retry_refused = NULL,
     dismissed_reason = CASE WHEN dismissed_reason IS NOT NULL THEN 'erased' END`,
    {
      where: `num_nonnulls(retried_at, dismissed_at) > 0
        AND (detail <> '' OR octet_length(payload) > 0 OR dismissed_reason <> 'erased'
          OR num_nonnulls(key, payload_size, payload_sha256, retry_refused) > 0)`,
    },
  ),
  update("repair", "detail = '{}'", { where: "detail <> '{}'" }),
  remove("webhook_delivery", "delivered_at IS NOT NULL"),
  remove("dashboard_token", "true"),
];

/** A page of an account's usage; the first page of none is behind `BEFORE_PAGES`. */
export interface PagePlace {
  readonly start: bigint;
  readonly version: bigint;
  readonly place: number;
}

export const BEFORE_PAGES: PagePlace = { start: -1n, version: 0n, place: 0 };

/** Some of an account's pages: the last one, null where there are no more, and how many were changed. */
export interface ErasedPages {
  readonly last: PagePlace | null;
  readonly rows: number;
}

// What pages have in common is erased once. Beside the few thousand of a portion, a join is best by hash.
const BY_HASH = "SET LOCAL enable_hashjoin = on";

const PAGES = `
  WITH page AS MATERIALIZED (
    SELECT start_position, version, place, dimensions
    FROM usage_page
    WHERE account_id = $1 AND version > $4
      AND (start_position, version, place) > ($5::bigint, $6::bigint, $7::integer)
    ORDER BY start_position, version, place
    LIMIT ${ROWS_PER_TRANSACTION}
  ), named AS MATERIALIZED (
    SELECT each, erased_dimensions($2, $3, each) AS pseudonymous
    FROM (SELECT DISTINCT unnest(dimensions) AS each FROM page) AS met
  ), erased AS (
    SELECT start_position, version, place, array_agg(pseudonymous ORDER BY number) AS dimensions
    FROM page
    CROSS JOIN LATERAL unnest(dimensions) WITH ORDINALITY AS listed (each, number)
    JOIN named USING (each)
    GROUP BY start_position, version, place
    HAVING bool_or(pseudonymous <> each)
  ), changed AS (
    UPDATE usage_page
    SET dimensions = erased.dimensions
    FROM erased
    WHERE usage_page.account_id = $1
      AND usage_page.start_position = erased.start_position
      AND usage_page.version = erased.version
      AND usage_page.place = erased.place
    RETURNING 1
  )
  SELECT start_position AS start, version, place, (SELECT count(*)::integer FROM changed) AS rows
  FROM page
  ORDER BY start_position DESC, version DESC, place DESC
  LIMIT 1`;

/** Gives the values of dimensions on the account's next pages pseudonyms; `values` are $1 to $4. */
export async function erasePages(
  transaction: Transaction,
  values: readonly unknown[],
  after: PagePlace,
): Promise<ErasedPages> {
  const { start, version, place } = after;
  await transaction.query(BY_HASH);
  type Row = PagePlace & { readonly rows: number };
  const { rows } = await transaction.query<Row>(PAGES, [...values, start, version, place]);
  const [last] = rows;
  return { last: last ?? null, rows: last?.rows ?? 0 };
}
