import type { FastifyInstance } from "fastify";
import { Gauge, Registry } from "prom-client";
import { countDue } from "../../../shared/ledger/month/count-due.ts";
import { countOutbox } from "../../../shared/ledger/outbox/count.ts";
import { listUnmatched } from "../../../shared/ledger/payments/charges-at-gateway.ts";
import { readLastReconciliation } from "../../../shared/ledger/proof/reconciliations.ts";
import { countDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import type { RouteParts } from "../routes/parts.ts";

const MOST_COUNTED = 10_000;

/** What Prometheus scrapes, with a key of the scope admin: what waits, and what was last proved. */
export function metricsRoute(app: FastifyInstance, { database, now }: RouteParts): void {
  const register = new Registry();
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [register] });
  const outbox = gauge("drawdown_outbox_records", "Records to publish, counted to 10,000.");
  const due = gauge("drawdown_accounts_due", "Accounts with something due, counted to 10,000.");
  const deadLetters = new Gauge({
    name: "drawdown_dead_letters",
    help: "Dead letters that wait for a decision.",
    labelNames: ["reason"],
    registers: [register],
  });
  const charges = gauge(
    "drawdown_unmatched_charges",
    "Charges at the payment gateway that are not in the books.",
  );
  const proof = {
    at: gauge("drawdown_reconciliation_timestamp_seconds", "When usage was last proved."),
    messages: gauge("drawdown_reconciliation_messages", "Messages that were looked at then."),
    verified: gauge("drawdown_reconciliation_verified_messages", "Those found right then."),
    differences: gauge("drawdown_reconciliation_differences", "Differences found then."),
  };

  app.get(
    "/metrics",
    { config: { access: "admin" }, schema: { hide: true } },
    async (_request, reply) => {
      outbox.set(await countOutbox(database, MOST_COUNTED));
      due.set((await countDue(database, now(), MOST_COUNTED)).count);
      deadLetters.reset();
      for (const { reason, count } of await countDeadLetters(database)) {
        deadLetters.set({ reason }, count);
      }
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
