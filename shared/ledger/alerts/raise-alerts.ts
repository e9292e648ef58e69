import type { Alert } from "../../core/alerts/alert.ts";
import type { Instant } from "../../core/line/account.ts";
import { putInOutbox } from "../outbox/outbox.ts";
import { alertRaisedRecord } from "../outbox/records.ts";
import { columnsOf } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

const COLUMNS = `kind, subject, window_name, level, used, used_of, currency, cause, reason`;

// The caller has locked the accounts, so nobody else counts between. A budget that was raised is armed anew.
const RAISE = `
  WITH asked AS (
    SELECT DISTINCT ON (account_id, kind, subject, window_name, level) *
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bigint[], $7::bigint[],
                $8::text[], $9::text[], $10::text[], $11::bigint[])
      WITH ORDINALITY AS alert (account_id, ${COLUMNS}, occurred_at, place)
    ORDER BY account_id, kind, subject, window_name, level, place
  ),
  fresh AS (
    SELECT asked.*,
           row_number() OVER (PARTITION BY account_id ORDER BY place) AS number,
           count(*) OVER (PARTITION BY account_id) AS numbers
    FROM asked
    WHERE NOT EXISTS (
      SELECT FROM alert
      WHERE alert.account_id = asked.account_id
        AND alert.kind = asked.kind
        AND alert.subject = asked.subject
        AND alert.window_name = asked.window_name
        AND alert.level = asked.level
        AND (alert.kind <> 'budget' OR alert.used_of = asked.used_of))
  ),
  counted AS (
    UPDATE account
    SET alerts = account.alerts + fresh.numbers
    FROM fresh
    WHERE account.account_id = fresh.account_id AND fresh.number = 1
    RETURNING account.account_id, account.alerts - fresh.numbers AS before
  )
  INSERT INTO alert (account_id, sequence, ${COLUMNS}, occurred_at, raised_at)
  SELECT account_id, before + number, ${COLUMNS}, to_timestamp(occurred_at / 1000.0), to_timestamp($12 / 1000.0)
  FROM fresh JOIN counted USING (account_id)
  RETURNING account_id AS "accountId", sequence, kind, subject, window_name AS "window", level, used,
            used_of AS "limit", currency, cause, reason, occurred_at AS "occurredAt"`;

/** An alert that was raised; `sequence` counts up per account. */
export interface NumberedAlert extends Alert {
  readonly sequence: bigint;
}

/**
 * Raises those of the alerts whose level has not been raised in their window (of a budget: for its amount), and
 * queues their records. The caller has locked the accounts. Returns those that were raised.
 */
export async function raiseAlerts(
  transaction: Transaction,
  alerts: readonly Alert[],
  now: Instant,
): Promise<readonly NumberedAlert[]> {
  if (alerts.length === 0) return [];
  const values = [
    ...columnsOf(alerts, "accountId", "kind", "subject", "window", "level", "used", "limit"),
    ...columnsOf(alerts, "currency", "cause", "reason", "occurredAt"),
    now,
  ];
  const raised = await queryRows<NumberedAlert>(transaction, RAISE, values, "raise-alerts");
  await putInOutbox(
    transaction,
    raised.map((alert) => alertRaisedRecord(alert, now)),
  );
  return raised;
}
