import type { HousekeepingRule } from "../../core/history/retention.ts";
import type { Instant } from "../../core/line/account.ts";
import { TOPICS } from "../../core/text/topics.ts";
import { SUM_TAKEN } from "../books/sum-noted-spend.ts";
import { bigintArray } from "../postgres/array-literal.ts";
import { type Database, inTransaction, queryRow } from "../postgres/database.ts";
import { dropUsageMonth } from "./drop-usage.ts";

/** The most rows that a transaction deletes. */
const ROWS_PER_TRANSACTION = 1_000;

/** The first offsets that the usage topic still has, by partition. */
export type FirstOffsets = ReadonlyMap<number, bigint>;

// SKIP LOCKED leaves a row to whoever works on it, and lets several schedulers delete side by side.
const OLD = `
  LIMIT ${ROWS_PER_TRANSACTION}
  FOR UPDATE SKIP LOCKED`;

const REQUESTS = `
  DELETE FROM api_request
  USING (
    SELECT caller, idempotency_key
    FROM api_request
    WHERE requested_at < to_timestamp($1 / 1000.0)
    ORDER BY requested_at
    ${OLD}
  ) AS old
  WHERE api_request.caller = old.caller AND api_request.idempotency_key = old.idempotency_key`;

const TOKENS = `
  DELETE FROM dashboard_token
  USING (
    SELECT account_id, secret_hash
    FROM dashboard_token
    WHERE expires_at < to_timestamp($1 / 1000.0)
    ORDER BY expires_at
    ${OLD}
  ) AS old
  WHERE dashboard_token.account_id = old.account_id AND dashboard_token.secret_hash = old.secret_hash`;

// The next run begins where the last one ended, so the last one stays.
const RECONCILIATIONS = `
  DELETE FROM reconciliation
  USING (
    SELECT reconciled_at
    FROM reconciliation
    WHERE reconciled_at < to_timestamp($1 / 1000.0)
      AND reconciled_at < (SELECT max(reconciled_at) FROM reconciliation)
    ORDER BY reconciled_at
    ${OLD}
  ) AS old
  WHERE reconciliation.reconciled_at = old.reconciled_at`;

// While the topic has the message, reconciling and replaying ask whether it is a dead letter.
const DEAD_LETTERS = `
  DELETE FROM dead_letter
  USING (
    SELECT topic, kafka_partition, kafka_offset
    FROM dead_letter
    WHERE coalesce(retried_at, dismissed_at) < to_timestamp($1 / 1000.0)
      AND topic = '${TOPICS.usageEvents}'
      AND kafka_offset < (SELECT first_offset
                          FROM unnest($2::integer[], $3::bigint[]) AS kept (kafka_partition, first_offset)
                          WHERE kept.kafka_partition = dead_letter.kafka_partition)
      AND num_nonnulls(published_at, publish_refused) > 0
    ORDER BY coalesce(retried_at, dismissed_at)
    ${OLD}
  ) AS old
  WHERE dead_letter.topic = old.topic
    AND dead_letter.kafka_partition = old.kafka_partition
    AND dead_letter.kafka_offset = old.kafka_offset`;

const HOLDS = `
  DELETE FROM hold
  USING (
    SELECT account_id, hold_id
    FROM hold
    WHERE ended_at < to_timestamp($1 / 1000.0)
    ORDER BY ended_at
    ${OLD}
  ) AS old
  WHERE hold.account_id = old.account_id AND hold.hold_id = old.hold_id`;

const ALERTS = `
  DELETE FROM alert
  USING (
    SELECT account_id, sequence
    FROM alert
    WHERE raised_at < to_timestamp($1 / 1000.0)
    ORDER BY raised_at
    ${OLD}
  ) AS old
  WHERE alert.account_id = old.account_id AND alert.sequence = old.sequence`;

// Delivered or not; a queue that is left empty ends when it is claimed.
const WEBHOOKS = `
  DELETE FROM webhook_delivery
  USING (
    SELECT account_id, endpoint_id, type, sequence
    FROM webhook_delivery
    WHERE created_at < to_timestamp($1 / 1000.0)
    ORDER BY created_at
    ${OLD}
  ) AS old
  WHERE webhook_delivery.account_id = old.account_id
    AND webhook_delivery.endpoint_id = old.endpoint_id
    AND webhook_delivery.type = old.type
    AND webhook_delivery.sequence = old.sequence`;

// What is noted of old windows becomes sums, which are deleted.
const SUM_OLD = `
  WITH old AS (
    SELECT account_id, dimension, window_name, starts_at, place
    FROM budget_added
    WHERE ends_at <= to_timestamp($1 / 1000.0)
    ORDER BY ends_at
    ${OLD}
  ), taken AS (
    DELETE FROM budget_added AS added
    USING old
    WHERE (added.account_id, added.dimension, added.window_name, added.starts_at, added.place)
          = (old.account_id, old.dimension, old.window_name, old.starts_at, old.place)
    RETURNING added.*
  ), summed AS (${SUM_TAKEN})
  SELECT FROM taken`;

// Metering counts only windows that end after `since`, which is raised first.
const BUDGET_SPEND = `
  WITH kept AS (
    UPDATE budget_kept SET since = greatest(since, to_timestamp($1 / 1000.0)) RETURNING since
  ), old AS (
    SELECT account_id, dimension, window_name, starts_at, value
    FROM budget_spend
    WHERE ends_at <= to_timestamp($1 / 1000.0)
    ORDER BY ends_at
    ${OLD}
  ), unlisted AS (
    DELETE FROM budget_unlisted AS deleted
    USING old
    WHERE (deleted.account_id, deleted.dimension, deleted.window_name, deleted.starts_at, deleted.value)
          = (old.account_id, old.dimension, old.window_name, old.starts_at, old.value)
  )
  DELETE FROM budget_spend AS deleted
  USING old, kept
  WHERE (deleted.account_id, deleted.dimension, deleted.window_name, deleted.starts_at, deleted.value)
        = (old.account_id, old.dimension, old.window_name, old.starts_at, old.value)`;

const DELETE: Record<
  Exclude<HousekeepingRule["table"], "usage_identity" | "usage_page">,
  string
> = {
  api_request: REQUESTS,
  dashboard_token: TOKENS,
  reconciliation: RECONCILIATIONS,
  dead_letter: DEAD_LETTERS,
  hold: HOLDS,
  alert: ALERTS,
  webhook_delivery: WEBHOOKS,
  budget_spend: BUDGET_SPEND,
};

/** Two tables of identities take turns, and the older one is emptied whole. A turn waits for no one for long. */
const TURN_IDENTITIES = `
  SELECT begin_usage_generation(to_timestamp($1 / 1000.0), to_timestamp($2 / 1000.0)) AS deleted`;

async function turnIdentities(database: Database, now: Instant, before: Instant): Promise<Step> {
  return inTransaction(database, async (transaction) => {
    await transaction.query("SET LOCAL lock_timeout = 5000");
    type Turned = { readonly deleted: bigint };
    const turned = await queryRow<Turned>(transaction, TURN_IDENTITIES, [now, before]);
    return { deleted: Number(turned?.deleted ?? 0n), left: "nothing" };
  });
}

async function dropUsage(database: Database, before: Instant): Promise<Step> {
  const month = await dropUsageMonth(database, before);
  if (month === "none") return { deleted: 0, left: "nothing" };
  if (month === "busy") return { deleted: 0, left: "for_later" };
  return { deleted: Number(month.events), left: "more" };
}

/** What a step deleted: rows, or events of usage. */
interface Step {
  readonly deleted: number;
  /** What is due besides; `for_later`: another run may delete it. */
  readonly left: "nothing" | "more" | "for_later";
}

/**
 * Deletes what of a table is past its use since before an instant, oldest first: up to
 * ROWS_PER_TRANSACTION rows, or a whole month of usage. A dead letter goes only once its message has left
 * the topic.
 */
export async function deleteOldRows(
  database: Database,
  table: HousekeepingRule["table"],
  before: Instant,
  { now, firstOffsets }: { readonly now: Instant; readonly firstOffsets: FirstOffsets },
): Promise<Step> {
  if (table === "usage_identity") return turnIdentities(database, now, before);
  if (table === "usage_page") return dropUsage(database, before);
  const offsets = [bigintArray([...firstOffsets.keys()]), bigintArray([...firstOffsets.values()])];
  const values = table === "dead_letter" ? [before, ...offsets] : [before];
  const summed = table === "budget_spend" ? await database.query(SUM_OLD, values) : null;
  const { rowCount } = await database.query(DELETE[table], values);
  const deleted = rowCount ?? 0;
  const isFull = [rowCount, summed?.rowCount].includes(ROWS_PER_TRANSACTION);
  return { deleted, left: isFull ? "more" : "nothing" };
}
