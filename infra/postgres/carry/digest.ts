/** SQL: a digest of all columns of a record, in usage_record as in usage_of_pages. */
export function digestOf(record: string, version: string): string {
  const columns = [
    ...["account_id", "event_id", "meter", "quantity", "occurred_at", "source", "dimensions"],
    ...["credits", "start_position", "kafka_partition", "kafka_offset", "metered_at"],
  ].map((column) => `${record}.${column}`);
  const values = [...columns, `coalesce(${record}.given_back, 0)`, version];
  return `hash_record_extended(ROW(${values.join(", ")}), 0)`;
}
