import type { AccountId } from "../../core/line/account.ts";
import { ALL_TOPICS } from "../../core/text/topics.ts";
import { amountsAsText } from "../postgres/amounts-as-text.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";

/**
 * A record to publish, in the fields of its Avro schema. `sequence` counts up per account and topic:
 * the relay publishes in its order, and downstream drops repeats by it.
 */
export interface OutboxRecord {
  readonly accountId: AccountId;
  readonly topic: string;
  readonly sequence: bigint;
  readonly record: Readonly<Record<string, unknown>>;
}

const INTO = {
  table: "outbox",
  columns: "account_id, topic, sequence, record",
};

/** Queues records to be published once this transaction commits. */
export async function putInOutbox(
  transaction: Transaction,
  records: readonly OutboxRecord[],
): Promise<void> {
  await insertRows(transaction, INTO, records, (rows, record) => {
    rows.text(record.accountId);
    rows.text(record.topic);
    rows.int8(record.sequence);
    rows.text(asText(record));
  });
}

const PUT = `
  INSERT INTO outbox (account_id, topic, sequence, record)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])`;

/** The same in one statement, which can be sent together with others: for hundreds of records, not for thousands. */
export async function putFewInOutbox(
  transaction: Transaction,
  records: readonly OutboxRecord[],
): Promise<void> {
  const rows = records.map((record) => ({ ...record, record: asText(record) }));
  const values = columnsOf(rows, "accountId", "topic", "sequence", "record");
  await transaction.query({ name: "put-few-in-outbox", text: PUT, values });
}

function asText({ record }: OutboxRecord): string {
  return JSON.stringify(record, amountsAsText);
}

const LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('drawdown.outbox-relay')) AS locked";

/** True: this is the only relay until the transaction ends. False: another one is running. */
export async function becomeRelay(transaction: Transaction): Promise<boolean> {
  return (await queryRow<{ locked: boolean }>(transaction, LOCK))?.locked === true;
}

const TAKE = `
  SELECT account_id AS "accountId", topic, sequence, record::json
  FROM outbox
  WHERE refused IS NULL AND topic = ANY ($2)
  ORDER BY account_id, topic, sequence
  LIMIT $1
  FOR UPDATE`;

/**
 * The next records to publish, in order per account and topic, without refused ones; locked until the transaction
 * ends. Those of topics that only a newer version knows are left to its relay.
 */
export async function takeFromOutbox(
  transaction: Transaction,
  limit: number,
): Promise<OutboxRecord[]> {
  return queryRows<OutboxRecord>(transaction, TAKE, [limit, ALL_TOPICS], "take-from-outbox");
}

const DELETE = `
  DELETE FROM outbox
  USING unnest($1::text[], $2::text[], $3::bigint[]) AS sent (account_id, topic, sequence)
  WHERE outbox.account_id = sent.account_id
    AND outbox.topic = sent.topic
    AND outbox.sequence = sent.sequence`;

/** Deletes records that Kafka has acknowledged. */
export async function deleteFromOutbox(
  transaction: Transaction,
  sent: readonly OutboxRecord[],
): Promise<void> {
  const values = columnsOf(sent, "accountId", "topic", "sequence");
  await transaction.query({ name: "delete-from-outbox", text: DELETE, values });
}

const REFUSE = `
  UPDATE outbox
  SET refused = $4
  WHERE account_id = $1 AND topic = $2 AND sequence = $3`;

/** Records why a record is refused. It is not published again by itself. */
export async function refuseInOutbox(
  transaction: Transaction,
  { accountId, topic, sequence }: OutboxRecord,
  why: string,
): Promise<void> {
  await transaction.query(REFUSE, [accountId, topic, sequence, why]);
}
