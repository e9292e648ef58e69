import { watchOutbox } from "../../../shared/kafka/health/check-outbox.ts";
import { listExpiringKeys } from "../../../shared/ledger/access/api-keys.ts";
import { countHolds } from "../../../shared/ledger/holds/count-holds.ts";
import { countDue } from "../../../shared/ledger/month/count-due.ts";
import { countOutbox, countRefused } from "../../../shared/ledger/outbox/count.ts";
import { readChargeCheck } from "../../../shared/ledger/payments/charge-check.ts";
import { listUnmatched } from "../../../shared/ledger/payments/charges-at-gateway.ts";
import { countLongPending } from "../../../shared/ledger/payments/claim.ts";
import { countTopUps } from "../../../shared/ledger/payments/count.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { readLastReconciliation } from "../../../shared/ledger/proof/reconciliations.ts";
import { countDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import type { Make, Metrics } from "../../../shared/runtime/metrics/metrics.ts";
import { webhookMetrics } from "./webhook-metrics.ts";

/** So that a scrape costs little, whatever waits. */
const MOST_COUNTED = 10_000;
const DAY_MS = 24 * 60 * 60 * 1000;

interface Books {
  readonly database: Database;
  now(): number;
}

/** Shows what is in the books, whichever process put it there: backlogs, and the last proof. */
export function bookMetrics(metrics: Metrics, books: Books): void {
  metrics.source("outbox", outboxMetrics(books));
  metrics.source("due", dueMetrics(books));
  metrics.source("dead letters", deadLetterMetrics(books));
  metrics.source("keys", keyMetrics(books));
  metrics.source("payments", paymentMetrics(books));
  metrics.source("proof", proofMetrics(books));
  metrics.source("webhooks", webhookMetrics({ ...books, most: MOST_COUNTED }));
}

function outboxMetrics({ database }: Books) {
  const look = watchOutbox(database);
  return async ({ gauge }: Make) => {
    gauge("drawdown_outbox_records", "Records waiting to be published, counted up to 10,000.").set(
      await countOutbox(database, MOST_COUNTED),
    );
    gauge(
      "drawdown_outbox_waiting_seconds",
      "For how long what is next to be published has been next; 0: nothing waits.",
    ).set((await look()).forMs / 1000);
    gauge(
      "drawdown_refused_records",
      "Records that Kafka or their schema refuses, so that they are not published.",
    ).set(await countRefused(database));
  };
}

function dueMetrics({ database, now }: Books) {
  return async ({ gauge }: Make) => {
    const at = now();
    const due = await countDue(database, at, MOST_COUNTED);
    gauge("drawdown_accounts_due", "Accounts with something due, counted up to 10,000.").set(
      due.count,
    );
    gauge(
      "drawdown_accounts_due_seconds",
      "For how long the first of these accounts has been due.",
    ).set(since(due.since, at));
    const holds = await countHolds(database, MOST_COUNTED);
    gauge("drawdown_holds", "Open holds, counted up to 10,000.").set(holds.count);
    gauge(
      "drawdown_holds_overdue_seconds",
      "For how long the time of an open hold has been over.",
    ).set(since(holds.endsFirst, at));
  };
}

function deadLetterMetrics({ database }: Books) {
  return async ({ gauge }: Make) => {
    const letters = gauge("drawdown_dead_letters", "Dead letters neither retried nor dismissed.", [
      "reason",
    ]);
    for (const { reason, count } of await countDeadLetters(database)) {
      letters.set({ reason }, count);
    }
  };
}

function keyMetrics({ database, now }: Books) {
  return async ({ gauge }: Make) => {
    const ends = gauge(
      "drawdown_api_key_expiry_timestamp_seconds",
      "When keys expire that do so within 14 days.",
      ["key_id"],
    );
    for (const { keyId, expiresAt } of await listExpiringKeys(database, now())) {
      ends.set({ key_id: keyId }, (expiresAt ?? 0) / 1000);
    }
  };
}

function paymentMetrics({ database, now }: Books) {
  return async ({ gauge }: Make) => {
    const at = now();
    const topUps = gauge(
      "drawdown_top_ups",
      "Top-ups that are pending, and those of the last day that are not any more.",
      ["status"],
    );
    for (const status of ["pending", "succeeded", "failed"]) topUps.set({ status }, 0);
    for (const { status, count } of await countTopUps(database, at - DAY_MS)) {
      topUps.set({ status }, count);
    }
    const pending = await countLongPending(database, at);
    gauge(
      "drawdown_payments_unknown_seconds",
      "For how long the outcome of a payment that was sent to the gateway has been unknown.",
    ).set(since(pending.since, at));
    gauge("drawdown_unmatched_charges", "Charges at the payment gateway that the books lack.").set(
      (await listUnmatched(database, null)).length,
    );
    const { comparedTo, hasGatewayPayments } = await readChargeCheck(database);
    if (comparedTo === null && hasGatewayPayments) throw new Error("no charges were compared");
    gauge(
      "drawdown_charges_uncompared_seconds",
      "How far back charges at the gateway are not yet compared with the books; 0: there are none.",
    ).set(hasGatewayPayments ? since(comparedTo, at) : 0);
  };
}

function proofMetrics({ database }: Books) {
  return async ({ gauge }: Make) => {
    const at = gauge(
      "drawdown_reconciliation_timestamp_seconds",
      "When usage was last reconciled; 0: never.",
    );
    const messages = gauge(
      "drawdown_reconciliation_messages",
      "Messages that the last reconciliation compared.",
    );
    const verified = gauge(
      "drawdown_reconciliation_verified_messages",
      "Messages that the last reconciliation found correct.",
    );
    const differences = gauge(
      "drawdown_reconciliation_differences",
      "Differences that the last reconciliation found.",
    );
    const last = await readLastReconciliation(database);
    if (last === null) return;
    at.set(last.at / 1000);
    messages.set(Number(last.messages));
    verified.set(Number(last.verified));
    differences.set(Number(last.differences));
  };
}

/** Seconds since an instant that has passed; 0: it has not, or there is none. */
function since(instant: number | null, now: number): number {
  return instant === null ? 0 : Math.max(0, now - instant) / 1000;
}
