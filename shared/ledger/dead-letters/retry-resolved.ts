import type { Instant } from "../../core/line/account.ts";
import type { Database } from "../postgres/database.ts";

/** Undecided, and not refused by Kafka; as the indexes of 0007_dead_letter_decisions.sql have it. */
const UNDECIDED = "retry_asked_at IS NULL AND retry_refused IS NULL AND dismissed_at IS NULL";
const WITHOUT_ACCOUNT = `reason = 'unknown_account' AND ${UNDECIDED}`;
const WITHOUT_PRICE = `reason IN ('unknown_meter', 'no_price') AND ${UNDECIDED}`;

/** So many accounts or meters are looked for, and so many letters changed, by one statement. */
const NAMES_AT_ONCE = 1_000;
const LETTERS_AT_ONCE = 5_000;

/**
 * Asks for the open dead letters to be published again whose account exists by now, or whose meter has
 * a price that holds when they occurred. Each step is a transaction and tells how many it was. What
 * still lacks something else is a new dead letter then, and is retried once that exists.
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
 * The different names in an index, so many after $1: one look-up for each name, however many letters
 * bear it. `found` says what the caller wants to know of each.
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
    SELECT name, (${found}) AS found FROM (SELECT name FROM waiting LIMIT ${NAMES_AT_ONCE}) AS waiting`;
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
  let after = "";
  for (;;) {
    const { rows } = await database.query<Name>(text, [after]);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < NAMES_AT_ONCE) return;
    after = last.name;
  }
}

/** Letters that somebody else is deciding about are left to him. */
function askWhere(letters: string): string {
  return `
    UPDATE dead_letter
    SET retry_asked_at = to_timestamp($1 / 1000.0)
    FROM (
      SELECT topic, kafka_partition, kafka_offset
      FROM dead_letter
      WHERE ${letters} AND octet_length(payload) > 0
      LIMIT ${LETTERS_AT_ONCE}
      FOR UPDATE SKIP LOCKED
    ) AS fit
    WHERE dead_letter.topic = fit.topic
      AND dead_letter.kafka_partition = fit.kafka_partition
      AND dead_letter.kafka_offset = fit.kafka_offset`;
}

const ASK_OF_ACCOUNTS = askWhere(`${WITHOUT_ACCOUNT} AND account_id = ANY($2)`);
const ASK_OF_METER = askWhere(`${WITHOUT_PRICE} AND meter = $2 AND occurred_at >= $3::timestamptz`);

async function* askAll(
  database: Database,
  statement: string,
  values: readonly unknown[],
): AsyncGenerator<number> {
  for (;;) {
    const { rowCount } = await database.query(statement, [...values]);
    const asked = rowCount ?? 0;
    if (asked > 0) yield asked;
    if (asked < LETTERS_AT_ONCE) return;
  }
}
