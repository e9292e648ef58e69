import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Admin } from "kafkajs";
import { operations } from "../../../shared/contract/operations.ts";
import { countDue } from "../../../shared/ledger/month/count-due.ts";
import { countOutbox } from "../../../shared/ledger/outbox/count.ts";
import { countTopUps } from "../../../shared/ledger/payments/count.ts";
import { readLastReconciliation } from "../../../shared/ledger/proof/reconciliations.ts";
import { countDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import { readBacklogs } from "../../../shared/ledger/webhooks/backlog.ts";
import { type RouteContext, route } from "../routes/route.ts";
import { delayFollower } from "./follow-delay.ts";

const POLL_EVERY_MS = 250;
/** Polling stops this long after the last request. */
const POLL_FOR_MS = 30_000;
const MOST_COUNTED = 10_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The state of the whole system, for those who operate it. */
export function operationsRoute(
  app: FastifyInstance,
  context: RouteContext & { readonly admin: Admin; readonly listeners: { readonly count: number } },
): void {
  const follower = delayFollower(context);
  let pollUntil = 0;
  let polling: Promise<void> | null = null;

  async function poll(): Promise<void> {
    while (context.now() < pollUntil) {
      await follower.look();
      await sleep(POLL_EVERY_MS, undefined, { ref: false });
    }
  }

  app.addHook("onClose", async () => {
    pollUntil = 0;
  });

  route(
    {
      method: "GET",
      path: "/v1/operations",
      access: "metrics",
      tag: "operations",
      summary: "Show how metering, top-ups and the scheduler keep up",
      response: { 200: operations },
    },
    async ({ log }, { database, now }) => {
      const at = now();
      pollUntil = at + POLL_FOR_MS;
      if (polling === null) {
        await follower.look();
        polling = poll()
          .catch((error: unknown) => log.warn({ err: error }, "cannot read metering's progress"))
          .finally(() => {
            polling = null;
          });
      }
      const { eventsPerSecond, lag, p50Ms, p99Ms } = follower.delay;
      const due = await countDue(database, at, MOST_COUNTED);
      return {
        at,
        eventsPerSecond,
        lag,
        balanceDelayMs: { p50: p50Ms, p99: p99Ms },
        deadLetters: await countDeadLetters(database),
        topUps: await countTopUps(database, at - DAY_MS),
        scheduler: { due: due.count, oldestDueAt: due.since },
        outbox: await countOutbox(database, MOST_COUNTED),
        streams: context.listeners.count,
        webhooks: await readBacklogs(database, MOST_COUNTED),
        reconciliation: await readLastReconciliation(database),
      };
    },
  )(app, context);
}
