import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Admin } from "kafkajs";
import { operations } from "../../../shared/contract/operations.ts";
import { countDue } from "../../../shared/ledger/month/count-due.ts";
import { countOutbox } from "../../../shared/ledger/outbox/count.ts";
import { countTopUps } from "../../../shared/ledger/payments/count.ts";
import { readLastReconciliation } from "../../../shared/ledger/proof/reconciliations.ts";
import { countDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import { REFUSALS, type RouteParts, typed } from "../routes/parts.ts";
import { delayFollower } from "./follow-delay.ts";

const LOOK_EVERY_MS = 250;
/** Nobody has asked for so long: nobody looks. */
const WATCHED_FOR_MS = 30_000;
const MOST_COUNTED = 10_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** How all of it goes, for those who run it. */
export function operationsRoutes(
  app: FastifyInstance,
  parts: RouteParts & { readonly admin: Admin; readonly listeners: { readonly count: number } },
): void {
  const { database, now } = parts;
  const follower = delayFollower(parts);
  let watchedUntil = 0;
  let watching: Promise<void> | null = null;

  async function watch(): Promise<void> {
    while (now() < watchedUntil) {
      await follower.look();
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
    }
  }

  app.addHook("onClose", async () => {
    watchedUntil = 0;
  });

  typed(app).get(
    "/v1/operations",
    {
      config: { access: "admin" },
      schema: {
        summary: "How metering, top-ups and the scheduler keep up",
        tags: ["operations"],
        response: { 200: operations, ...REFUSALS },
      },
    },
    async (request) => {
      const at = now();
      watchedUntil = at + WATCHED_FOR_MS;
      if (watching === null) {
        await follower.look();
        watching = watch()
          .catch((error: unknown) => request.log.warn({ err: error }, "cannot watch metering"))
          .finally(() => {
            watching = null;
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
        streams: parts.listeners.count,
        reconciliation: await readLastReconciliation(database),
      };
    },
  );
}
