import type { FastifyInstance } from "fastify";
import { Gauge, Registry } from "prom-client";
import type { SkippedRecords } from "../../../shared/kafka/consume/skipped-records.ts";
import { listExpiringKeys } from "../../../shared/ledger/access/api-keys.ts";
import { countDue } from "../../../shared/ledger/month/count-due.ts";
import { countOutbox, countRefused } from "../../../shared/ledger/outbox/count.ts";
import { listUnmatched } from "../../../shared/ledger/payments/charges-at-gateway.ts";
import { readLastReconciliation } from "../../../shared/ledger/proof/reconciliations.ts";
import { countDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import type { WrongKeys } from "../access/wrong-keys.ts";
import type { RouteContext } from "../routes/route.ts";
import { webhookGauges } from "./webhook-gauges.ts";

const MOST_COUNTED = 10_000;

/** Metrics for Prometheus, which needs a key with the scope metrics: backlogs and the last reconciliation. */
export function metricsRoute(
  app: FastifyInstance,
  {
    database,
    now,
    skipped,
    wrongKeys,
  }: RouteContext & {
    readonly skipped: Pick<SkippedRecords, "counts">;
    readonly wrongKeys: Pick<WrongKeys, "counts">;
  },
): void {
  const register = new Registry();
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [register] });
  const outbox = gauge(
    "drawdown_outbox_records",
    "Records waiting to be published, counted up to 10,000.",
  );
  const refused = gauge(
    "drawdown_refused_records",
    "Records that Kafka or their schema refuses, so that they are not published.",
  );
  const due = gauge("drawdown_accounts_due", "Accounts with something due, counted up to 10,000.");
  const deadLetters = new Gauge({
    name: "drawdown_dead_letters",
    help: "Dead letters neither retried nor dismissed.",
    labelNames: ["reason"],
    registers: [register],
  });
  const unusable = new Gauge({
    name: "drawdown_skipped_records",
    help: "Records of billing topics that this process has skipped, since they name no account.",
    labelNames: ["topic", "reason"],
    registers: [register],
  });
  const wrong = new Gauge({
    name: "drawdown_wrong_keys",
    help: "Wrong keys and tokens that this process has been sent; limited: refused without a look.",
    labelNames: ["reason"],
    registers: [register],
  });
  const keyEnd = new Gauge({
    name: "drawdown_api_key_expiry_timestamp_seconds",
    help: "When keys expire that do so within 14 days.",
    labelNames: ["key_id"],
    registers: [register],
  });
  const setWebhooks = webhookGauges(register);
  const charges = gauge(
    "drawdown_unmatched_charges",
    "Charges at the payment gateway that the books lack.",
  );
  const proof = {
    at: gauge("drawdown_reconciliation_timestamp_seconds", "When usage was last reconciled."),
    messages: gauge(
      "drawdown_reconciliation_messages",
      "Messages the last reconciliation compared.",
    ),
    verified: gauge("drawdown_reconciliation_verified_messages", "Messages it found correct."),
    differences: gauge("drawdown_reconciliation_differences", "Differences it found."),
  };

  app.get(
    "/metrics",
    { config: { access: "metrics" }, schema: { hide: true } },
    async (_request, reply) => {
      outbox.set(await countOutbox(database, MOST_COUNTED));
      refused.set(await countRefused(database));
      due.set((await countDue(database, now(), MOST_COUNTED)).count);
      deadLetters.reset();
      for (const { reason, count } of await countDeadLetters(database)) {
        deadLetters.set({ reason }, count);
      }
      for (const { count, ...labels } of skipped.counts()) unusable.set(labels, count);
      for (const { count, reason } of wrongKeys.counts()) wrong.set({ reason }, count);
      keyEnd.reset();
      for (const { keyId, expiresAt } of await listExpiringKeys(database, now())) {
        keyEnd.set({ key_id: keyId }, (expiresAt ?? 0) / 1000);
      }
      await setWebhooks(database, now(), MOST_COUNTED);
      charges.set((await listUnmatched(database, null)).length);
      const last = await readLastReconciliation(database);
      if (last !== null) {
        proof.at.set(last.at / 1000);
        proof.messages.set(Number(last.messages));
        proof.verified.set(Number(last.verified));
        proof.differences.set(Number(last.differences));
      }
      return reply.type(register.contentType).send(await register.metrics());
    },
  );
}
