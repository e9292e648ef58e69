import type { Instant } from "../../core/line/account.ts";
import type { Database } from "../postgres/database.ts";
import { readPages } from "../postgres/read-pages.ts";

/** Undecided, and not refused by Kafka; as the indexes of 0007_dead_letter_decisions.sql have it. */
const UNDECIDED = "retry_asked_at IS NULL AND retry_refused IS NULL AND dismissed_at IS NULL";
const WITHOUT_ACCOUNT = `reason = 'unknown_account' AND ${UNDECIDED}`;
const WITHOUT_PRICE = `reason IN ('unknown_meter', 'no_price') AND ${UNDECIDED}`;

const NAMES_PER_QUERY = 1_000;
const LETTERS_PER_QUERY = 5_000;

/**
 * Requests a retry of the open dead letters whose account exists by now, or whose meter has a price
 * for the instant at which they occurred. Each step is a transaction and yields the number of letters. A
 * letter that still lacks something else becomes a new dead letter.
 */
export async function* retryResolved(database: Database, now: Instant): AsyncGenerator<number> {
  for await (const accountIds of accountsWaitedFor(database)) {
    yield* askAll(database, ASK_OF_ACCOUNTS, [now, accountIds]);
  }
  for await (const { meter, pricedFrom } of metersWaitedFor(database)) {
    yield* askAll(database, ASK_OF_METER, [now, meter, pricedFrom]);
  }
}

/**
 * The distinct names in an index after $1, with one look-up for each, however many letters have it.
 * `found` is a subquery that is evaluated for each name.
 */
function namesAfter(column: "account_id" | "meter", letters: string, found: string): string {
  const next = (after: string) => `
    SELECT ${column} FROM dead_letter
    WHERE ${letters} AND ${column} > ${after}
    ORDER BY ${column}
    LIMIT 1`;
  return `
    WITH RECURSIVE waiting (name) AS (
      (${next("$1")})
      UNION ALL
      SELECT following.${column} FROM waiting CROSS JOIN LATERAL (${next("waiting.name")}) AS following
    )
    SELECT name, (${found}) AS found FROM (SELECT name FROM waiting LIMIT ${NAMES_PER_QUERY}) AS waiting`;
}

const ACCOUNTS = namesAfter(
  "account_id",
  WITHOUT_ACCOUNT,
  "SELECT account_id FROM account WHERE account_id = name",
);

const METERS = namesAfter(
  "meter",
  WITHOUT_PRICE,
  "SELECT min(valid_from)::text FROM rate WHERE meter = name",
);

async function* accountsWaitedFor(database: Database): AsyncGenerator<string[]> {
  for await (const names of pagesOf(database, ACCOUNTS)) {
    const existing = names.filter(({ found }) => found !== null).map(({ name }) => name);
    if (existing.length > 0) yield existing;
  }
}

async function* metersWaitedFor(
  database: Database,
): AsyncGenerator<{ readonly meter: string; readonly pricedFrom: string }> {
  for await (const names of pagesOf(database, METERS)) {
    for (const { name, found } of names) {
      if (found !== null) yield { meter: name, pricedFrom: found };
    }
  }
}

interface Name {
  readonly name: string;
  readonly found: string | null;
}

async function* pagesOf(database: Database, text: string): AsyncGenerator<Name[]> {
  yield* readPages<Name>(NAMES_PER_QUERY, (last) => database.query(text, [last?.name ?? ""]));
}

/** Letters that another transaction has locked are left to it. */
function askWhere(letters: string): string {
  return `
    UPDATE dead_letter
    SET retry_asked_at = to_timestamp($1 / 1000.0), retry_asked_by = NULL
    FROM (
      SELECT topic, kafka_partition, kafka_offset
      FROM dead_letter
      WHERE ${letters} AND octet_length(payload) > 0 AND payload_size IS NULL
      LIMIT ${LETTERS_PER_QUERY}
      FOR UPDATE SKIP LOCKED
    ) AS fit
    WHERE dead_letter.topic = fit.topic
      AND dead_letter.kafka_partition = fit.kafka_partition
      AND dead_letter.kafka_offset = fit.kafka_offset`;
}

const ASK_OF_ACCOUNTS = askWhere(`${WITHOUT_ACCOUNT} AND account_id = ANY($2)`);
// What no rate by dimensions matches will match later only if its version is completed, or its account gets rates of
// its own. A minute more, since clocks differ, and batches began before.
const ASK_OF_METER = askWhere(`
  ${WITHOUT_PRICE} AND meter = $2 AND occurred_at >= $3::timestamptz
  AND (reason = 'unknown_meter' OR (
    SELECT dimensions IS NULL OR recorded_at < completed_at + interval '1 minute'
    FROM rate
    WHERE rate.meter = $2 AND valid_from <= occurred_at
    ORDER BY valid_from DESC
    LIMIT 1
  ) OR EXISTS (
    SELECT FROM own_terms AS own
    WHERE own.account_id = dead_letter.account_id AND own.meter = $2 AND own.discount IS NULL
      AND own.valid_from <= occurred_at AND recorded_at < own.set_at + interval '1 minute'
  ))`);

async function* askAll(
  database: Database,
  statement: string,
  values: readonly unknown[],
): AsyncGenerator<number> {
  for (;;) {
    const { rowCount } = await database.query(statement, [...values]);
    const requested = rowCount ?? 0;
    if (requested > 0) yield requested;
    if (requested < LETTERS_PER_QUERY) return;
  }
}
