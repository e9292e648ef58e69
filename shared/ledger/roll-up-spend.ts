import type { AccountId } from "../core/account.ts";
import { advanceOffset, lockOffset, type Place } from "./consumer-offset.ts";
import { type Database, inTransaction, type Transaction } from "./database.ts";

/** An account's newest state, as `billing.balances` tells it. */
export interface BalanceState {
  readonly accountId: AccountId;
  readonly version: bigint;
  readonly granted: bigint;
  readonly position: bigint;
}

const BEHIND = `
  SELECT metering.kafka_partition
  FROM consumer_offset AS metering
  LEFT JOIN consumer_offset AS spend
    ON spend.consumer = $1 || '.spend'
   AND spend.topic = metering.topic
   AND spend.kafka_partition = metering.kafka_partition
  WHERE metering.consumer = $1
    AND metering.topic = $2
    AND metering.next_offset > coalesce(spend.next_offset, 0)
  ORDER BY 1`;

/** The partitions of a consumer in which something was metered that is not rolled up yet. */
export async function partitionsBehind(
  database: Database,
  consumer: string,
  topic: string,
): Promise<number[]> {
  const { rows } = await database.query<[number]>({
    name: "partitions-behind",
    text: BEHIND,
    values: [consumer, topic],
    rowMode: "array",
  });
  return rows.map(([partition]) => partition);
}

const METERED_TO = `
  SELECT next_offset
  FROM consumer_offset
  WHERE consumer = $1 AND topic = $2 AND kafka_partition = $3`;

const ROLL_UP = `
  WITH rolled AS (
    INSERT INTO spend (account_id, hour, meter, events, quantity, credits)
    SELECT account_id, date_trunc('hour', occurred_at, time_zone), meter,
           count(*), sum(quantity), sum(credits)
    FROM (
      SELECT account_id, occurred_at, meter, quantity, credits
      FROM usage_record
      WHERE kafka_partition = $1 AND kafka_offset >= $2 AND kafka_offset < $3
    ) AS fresh
    JOIN account USING (account_id)
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (account_id, hour, meter) DO UPDATE
    SET events = spend.events + excluded.events,
        quantity = spend.quantity + excluded.quantity,
        credits = spend.credits + excluded.credits
    RETURNING account_id
  )
  SELECT account_id, version, granted, position
  FROM account
  WHERE account_id IN (SELECT account_id FROM rolled)`;

/** At most this many offsets in one step, so that memory and the transaction stay bounded. */
const MAX_OFFSETS = 50_000n;

/**
 * Takes the spend per account, meter and hour up to what metering has committed in a partition,
 * once, however many do this at the same time. `announce` is given the newest state of every
 * account concerned and runs before the commit: killed in between, it happens again.
 */
export async function rollUpSpend(
  database: Database,
  metering: Place,
  announce: (balances: BalanceState[]) => Promise<void>,
): Promise<void> {
  const place = { ...metering, consumer: `${metering.consumer}.spend` };
  await inTransaction(database, async (transaction) => {
    const meteredTo = await readOffset(transaction, metering);
    if (meteredTo === null) return;
    const from = await lockOffset(transaction, place, 0n);
    if (from >= meteredTo) return;
    const to = meteredTo - from > MAX_OFFSETS ? from + MAX_OFFSETS : meteredTo;
    const { rows } = await transaction.query<[AccountId, string, string, string]>({
      name: "roll-up-spend",
      text: ROLL_UP,
      values: [place.partition, from, to],
      rowMode: "array",
    });
    await announce(
      rows.map(([accountId, version, granted, position]) => ({
        accountId,
        version: BigInt(version),
        granted: BigInt(granted),
        position: BigInt(position),
      })),
    );
    await advanceOffset(transaction, place, from, to);
  });
}

async function readOffset(transaction: Transaction, place: Place): Promise<bigint | null> {
  const { rows } = await transaction.query<[string]>({
    name: "read-offset",
    text: METERED_TO,
    values: [place.consumer, place.topic, place.partition],
    rowMode: "array",
  });
  return rows[0] === undefined ? null : BigInt(rows[0][0]);
}
