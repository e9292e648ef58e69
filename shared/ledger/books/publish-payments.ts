import type { AccountId, Instant } from "../../core/line/account.ts";
import type { PaymentChange } from "../../core/payments/payment-change.ts";
import { putInOutbox } from "../outbox/outbox.ts";
import { paymentChangedRecord } from "../outbox/records.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

const COUNT = `
  INSERT INTO payments_published (account_id, records)
  SELECT account_id, added
  FROM unnest($1::text[], $2::bigint[]) AS change (account_id, added)
  ON CONFLICT (account_id) DO UPDATE
  SET records = payments_published.records + excluded.records
  RETURNING account_id AS "accountId", records`;

/**
 * Queues changes of payments for `billing.payments`, numbered per account in the order given. The caller
 * has locked the accounts: two writers could otherwise wait for each other.
 */
export async function publishPayments(
  transaction: Transaction,
  changes: readonly PaymentChange[],
  now: Instant,
): Promise<void> {
  if (changes.length === 0) return;
  const byAccount = Map.groupBy(changes, ({ accountId }) => accountId);
  const added = [...byAccount].map(([accountId, { length }]) => ({
    accountId,
    added: BigInt(length),
  }));
  type Row = { accountId: AccountId; records: bigint };
  const values = columnsOf(added, "accountId", "added");
  const counts = await queryRows<Row>(transaction, COUNT, values, "count-published-payments");
  const records = counts.flatMap(({ accountId, records: last }) => {
    const ofAccount = byAccount.get(accountId) ?? [];
    const before = last - BigInt(ofAccount.length);
    return ofAccount.map((change, index) =>
      paymentChangedRecord(change, before + BigInt(index + 1), now),
    );
  });
  await putInOutbox(transaction, records);
}
