import type { MicroCredits } from "../../core/line/credit-line.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRow, type Transaction } from "../postgres/database.ts";

/** The events of how many messages, and what they cost together. */
export interface RecordsBelow {
  readonly records: bigint;
  readonly credits: MicroCredits;
}

const COUNT = `
  SELECT coalesce(sum(records), 0)::bigint AS records, coalesce(sum(credits), 0)::text AS credits
  FROM (
    SELECT count(DISTINCT kafka_offset) AS records, sum(credits) AS credits
    FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS gone (kafka_partition, since, upto)
    JOIN usage_record USING (kafka_partition)
    WHERE page_first_offset < upto AND page_last_offset >= since
      AND kafka_offset >= since AND kafka_offset < upto AND ($4::text IS NULL OR account_id = $4)
    GROUP BY kafka_partition
  ) AS of_partition`;

/** The records of messages in these ranges, by partition. */
export async function countRecordsBelow(
  transaction: Transaction,
  ranges: ReadonlyMap<number, { readonly from: bigint; readonly to: bigint }>,
  accountId: string | null,
): Promise<RecordsBelow> {
  if (ranges.size === 0) return { records: 0n, credits: 0n };
  const bounds = [...ranges].map(([partition, range]) => ({ partition, ...range }));
  const values = [...columnsOf(bounds, "partition", "from", "to"), accountId];
  // The credits of several accounts may exceed an int8.
  type Row = Omit<RecordsBelow, "credits"> & { readonly credits: string };
  const below = await queryRow<Row>(transaction, COUNT, values);
  return { records: below?.records ?? 0n, credits: BigInt(below?.credits ?? 0) };
}
