import { inDatabase, priceOf } from "./books.ts";
import { type IdVersion, METERS } from "./load.ts";

/** Usage that books get by SQL, as if it had been metered. */
export interface Growth {
  /** At least so many events: accounts get whole transactions, all of them equally many. */
  readonly events: number;
  readonly ids: IdVersion;
}

/** What a batch has of one of 10,000 accounts: two events of each meter, in turn. */
const EVENTS_EACH = 4;
const QUANTITY = 1_000;
const CREDITS = METERS.map((meter) => (QUANTITY * priceOf(meter)) / 1_000_000);
const DRAWN_EACH = 2 * CREDITS.reduce((sum, credits) => sum + credits, 0);
const HOURS = 24;
const HOUR_MS = 3_600_000;

const NEW_ID = {
  v4: "gen_random_uuid()",
  v7: "uuidv7(to_timestamp($2 / 1000.0) - clock_timestamp())",
} as const;

const PLACES = Array.from({ length: EVENTS_EACH }, (_, place) => place);
const arrayOf = (numbers: readonly number[]) => `'{${numbers.join(",")}}'`;
const METER_NUMBERS = arrayOf(PLACES.map((place) => 1 + (place % METERS.length)));
const CREDITS_OF_EACH = arrayOf(PLACES.map((place) => CREDITS[place % METERS.length] ?? 0));

/**
 * $1: the transactions of each account before this one; $2: its time. The store of usage is known here
 * only. The identities have the ids themselves as keys, as wide and in the same order as real ones.
 */
const transactionOf = (ids: IdVersion) => `
  WITH page AS (
    INSERT INTO usage_page (account_id, start_position, version, end_position, place, metered_at, first_at,
                            last_at, first_offset, last_offset, event_uuids, meters, meter_numbers,
                            sources, quantities, occurred_after, credits, kafka_partitions,
                            kafka_offsets)
    SELECT account_id, $1::bigint * ${DRAWN_EACH}, $1::bigint + 2, ($1::bigint + 1) * ${DRAWN_EACH}, 0,
           at, at, at, place, place + ${EVENTS_EACH - 1},
           ARRAY[${PLACES.map(() => NEW_ID[ids]).join(", ")}], '{${METERS.join(",")}}',
           ${METER_NUMBERS}, '{bench}', ${arrayOf(PLACES.map(() => QUANTITY))},
           ${arrayOf(PLACES.map(() => 0))}, ${CREDITS_OF_EACH}, ARRAY[abs(hashtext(account_id)) % 12],
           ARRAY[${PLACES.map((place) => `place + ${place}`).join(", ")}]
    FROM account,
         (SELECT to_timestamp($2::float8 / 1000.0) AS at, $1::bigint * ${EVENTS_EACH} AS place) AS transaction
    RETURNING start_position, version, event_uuids
  )
  INSERT INTO usage_identity_1 (event_key, start_position, version)
  SELECT event_key, start_position, version
  FROM page CROSS JOIN unnest(event_uuids) AS event_key
  ORDER BY event_key`;

/** $1: the hour; $2: the transactions of each account in it. */
const SPEND = `
  INSERT INTO spend_hour (account_id, hour, meter, events, quantity, credits)
  SELECT account_id, to_timestamp($1::float8 / 1000.0), meter, $2::bigint * 2,
         $2::bigint * 2 * ${QUANTITY}, $2::bigint * 2 * credits
  FROM account
  CROSS JOIN (VALUES ${METERS.map((meter, i) => `('${meter}', ${CREDITS[i]})`).join(", ")})
    AS spent (meter, credits)`;

/** $1: the transactions of each account. A lot before the others paid for what was drawn. */
const LINES = [
  `UPDATE account
   SET granted = granted + $1::bigint * ${DRAWN_EACH}, position = $1::bigint * ${DRAWN_EACH},
       version = $1::bigint + 1`,
  `UPDATE lot
   SET start_position = start_position + $1::bigint * ${DRAWN_EACH},
       end_position = end_position + $1::bigint * ${DRAWN_EACH}`,
  `INSERT INTO lot (account_id, lot_id, start_position, end_position, credits, source, reference,
                    granted_at, expires_at)
   SELECT account_id, 'grown', 0, $1::bigint * ${DRAWN_EACH}, $1::bigint * ${DRAWN_EACH}, 'plan', '',
          now() - interval '2 days', now() + interval '29 days'
   FROM account`,
];

/**
 * Puts usage of the last day into books without any, in transactions that each meter a few events of every
 * account. What the accounts can still draw stays the same. Returns the number of events.
 */
export async function growBooks(
  url: string,
  { events, ids }: Growth,
  now = Date.now(),
): Promise<number> {
  let grown = 0;
  await inDatabase(url, async (pool) => {
    await pool.query("SET synchronous_commit = off");
    const counted = await pool.query<{ accounts: number }>(
      "SELECT count(*)::integer AS accounts FROM account",
    );
    const eventsInOne = (counted.rows[0]?.accounts ?? 0) * EVENTS_EACH;
    const transactions = Math.ceil(events / eventsInOne);
    const firstHour = Math.floor(now / HOUR_MS) - HOURS;
    const transaction = transactionOf(ids);
    for (let hour = 0, made = 0; hour < HOURS; hour += 1) {
      const upTo = Math.round((transactions * (hour + 1)) / HOURS);
      const at = (firstHour + hour) * HOUR_MS;
      await pool.query("SELECT add_usage_month(to_timestamp($1::float8 / 1000.0))", [at]);
      await pool.query(SPEND, [at, upTo - made]);
      for (; made < upTo; made += 1) await pool.query(transaction, [made, at + made]);
    }
    for (const statement of LINES) await pool.query(statement, [transactions]);
    await pool.query("VACUUM ANALYZE");
    grown = transactions * eventsInOne;
  });
  return grown;
}
