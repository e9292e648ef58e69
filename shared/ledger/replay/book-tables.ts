import { type Queryable, queryRows } from "../postgres/database.ts";

/**
 * A replay copies a table that does not follow from usage and entries, builds one that does, or leaves it
 * to others. Add each new table to one of these lists, or every replay is refused.
 */
export const COPIED_TABLES = [
  // Prices and months. A price refers to its plan, a rate by dimensions to its version and what it was imported from.
  ...[
    "rate",
    "rate_source",
    "rate_by_dimensions",
    "own_terms",
    "own_rate",
    "plan",
    "plan_price",
    "add_on",
    "credit_price",
    "display_name",
  ],
  ...["schedule", "subscription_change", "usage_complete"],
  // They move no line, so no usage and no entry says what they were.
  ...["hold", "budget", "budget_kept"],
  // What was asked to be told of, and told: so that nothing is told again.
  ...["alert_setting", "alert"],
  // Payments.
  ...[
    "payment_method",
    "payment_method_change",
    "invoiced_elsewhere",
    "auto_top_up",
    "top_up_notice",
    "payment",
    "payments_published",
    "refund",
    "charge_check",
    "unmatched_charge",
    "charge_limit",
  ],
  ...["api_key", "dashboard_token", "api_request"],
  // Messages that were not metered, which depended on the clock and the books of that time.
  "dead_letter",
  // Settings, proofs and repairs.
  ...["setting_change", "reconciliation", "repair", "erasure"],
  // Where events are delivered, and what was: so that nothing is delivered again.
  ...["webhook_endpoint", "webhook_delivery", "webhook_queue"],
  // Records not published yet: a repeat does no harm.
  ...["outbox", "balance_change"],
] as const;

const BUILT_TABLES = [
  "account",
  "lot",
  "entry",
  // The view of the pages.
  "usage_record",
  "usage_page",
  "usage_identity_1",
  "usage_identity_2",
  "usage_identity_clash",
  "usage_generation",
  // The view of hours and of what is on accounts.
  "spend",
  "spend_hour",
  "carried",
  "month_usage",
  "budget_spend",
  "budget_added",
  // The views of both, and of what accounts count.
  "budget_spent",
  "budget_counted",
] as const;

/**
 * The replay writes its offsets, migrating writes migrations and the oldest version, the scheduler what it deleted.
 * What is past retention in the original books is usage like any other in those that are built.
 */
const OTHER_TABLES = [
  ...["consumer_offset", "migration", "oldest_version", "housekeeping"],
  ...["usage_past", "usage_past_stretch", "usage_past_partition", "budget_unlisted"],
] as const;

const PAGES_OF_MONTH = /^usage_page_\d{4,}_\d{2}$/;

const LIST = `
  SELECT table_name AS name
  FROM information_schema.tables
  WHERE table_schema = 'public'
  ORDER BY table_name`;

/** The tables of a database, and which of them do not belong to the books. */
export async function listTables(
  database: Queryable,
): Promise<{ all: string[]; foreign: string[] }> {
  const rows = await queryRows<{ name: string }>(database, LIST);
  const ours = new Set<string>([...COPIED_TABLES, ...BUILT_TABLES, ...OTHER_TABLES]);
  const all = rows.map(({ name }) => name);
  return { all, foreign: all.filter((name) => !ours.has(name) && !PAGES_OF_MONTH.test(name)) };
}

const COLUMNS = `
  SELECT column_name AS name
  FROM information_schema.columns
  WHERE table_schema = 'public' AND table_name = $1
  ORDER BY ordinal_position`;

/** The columns of a table, in their order. */
export async function listColumns(database: Queryable, table: string): Promise<string[]> {
  const rows = await queryRows<{ name: string }>(database, COLUMNS, [table]);
  return rows.map(({ name }) => name);
}
