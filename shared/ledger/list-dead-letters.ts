import type { Instant } from "../core/account.ts";
import type { Database } from "./database.ts";

/** A dead letter without its bytes. */
export interface ListedDeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly accountId: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly recordedAt: Instant;
}

/** A dead letter's place: topic, partition and offset are its identity. */
export type DeadLetterPlace = Pick<ListedDeadLetter, "topic" | "partition" | "offset">;

const LIST = `
  SELECT topic, kafka_partition, kafka_offset, account_id, reason, detail,
         (extract(epoch FROM recorded_at) * 1000)::bigint
  FROM dead_letter
  WHERE ($1::text IS NULL OR reason = $1)
    AND ($2::text IS NULL OR account_id = $2)
    AND ($3::text IS NULL OR (topic, kafka_partition, kafka_offset) < ($3, $4, $5))
  ORDER BY topic DESC, kafka_partition DESC, kafka_offset DESC
  LIMIT $6`;

type Row = [string, number, string, string | null, string, string, string];

/** Up to `limit` dead letters, of one reason or account if named, from those before `before` on. */
export async function listDeadLetters(
  database: Database,
  asked: { readonly reason: string | null; readonly accountId: string | null },
  page: { readonly before: DeadLetterPlace | null; readonly limit: number },
): Promise<ListedDeadLetter[]> {
  const { topic = null, partition = null, offset = null } = page.before ?? {};
  const { rows } = await database.query<Row>({
    text: LIST,
    values: [asked.reason, asked.accountId, topic, partition, offset, page.limit],
    rowMode: "array",
  });
  return rows.map(([ofTopic, ofPartition, ofOffset, accountId, reason, detail, recordedAt]) => ({
    ...{ topic: ofTopic, partition: ofPartition, offset: BigInt(ofOffset) },
    ...{ accountId, reason, detail, recordedAt: Number(recordedAt) },
  }));
}
