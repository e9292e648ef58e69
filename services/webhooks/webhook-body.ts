import { type EventType, TIME_FIELD } from "../../shared/core/webhooks/event-types.ts";
import type { BillingRecord } from "../../shared/kafka/codec/billing-records.ts";
import { recordToJson } from "../../shared/kafka/codec/record-json.ts";
import type { TopicSchema } from "../../shared/kafka/codec/schemas.ts";
import { webhookId } from "../../shared/ledger/webhooks/take-events.ts";

export type RecordFields = Readonly<Record<string, unknown>> & { readonly account_id: string };

/** Makes what is sent of a type's records, in the form of Standard Webhooks: `type`, `timestamp`, `data` and more. */
export function bodyOf(
  type: EventType,
  schema: TopicSchema,
): (record: BillingRecord<RecordFields>) => string {
  const dataOf = recordToJson(schema);
  return ({ accountId, sequence, fields }) => {
    const data = dataOf(fields);
    return JSON.stringify({
      ...{ id: webhookId({ type, accountId, sequence }), type, timestamp: data[TIME_FIELD[type]] },
      ...{ account_id: accountId, sequence: String(sequence), data },
    });
  };
}
