import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Admin } from "kafkajs";
import { z } from "zod";
import { countDue } from "../../../shared/ledger/month/count-due.ts";
import { countOutbox } from "../../../shared/ledger/outbox/count.ts";
import { countTopUps } from "../../../shared/ledger/payments/count.ts";
import {
  readLastReconciliation,
  type StoredReconciliation,
} from "../../../shared/ledger/proof/reconciliations.ts";
import { countDeadLetters } from "../../../shared/ledger/usage/dead-letters.ts";
import { REFUSALS, type RouteParts, typed } from "../routes/parts.ts";
import { count, instant } from "../wire.ts";
import { delayFollower } from "./follow-delay.ts";

const counted = z.number().int();

const operationsView = z.object({
  at: instant,
  events_per_second: z.number(),
  lag: count.meta({ description: "Messages that are not metered yet, at most." }),
  balance_delay_ms: z.object({ p50: z.number().nullable(), p99: z.number().nullable() }),
  dead_letters: z.array(z.object({ reason: z.string(), count: counted })),
  top_ups: z.array(z.object({ status: z.string(), count: counted })),
  scheduler: z.object({ due: counted, oldest_due_at: instant.nullable() }),
  outbox: counted.meta({ description: "Records that wait to be published; counted to 10,000." }),
  streams: counted,
  reconciliation: z
    .object({ at: instant, messages: count, verified: count, differences: count })
    .nullable()
    .meta({ description: "What the scheduler has last proved of usage." }),
});

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
        response: { 200: operationsView, ...REFUSALS },
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
        events_per_second: eventsPerSecond,
        lag,
        balance_delay_ms: { p50: p50Ms, p99: p99Ms },
        dead_letters: (await countDeadLetters(database)).map((one) => ({ ...one })),
        top_ups: (await countTopUps(database, at - DAY_MS)).map((one) => ({ ...one })),
        scheduler: { due: due.count, oldest_due_at: due.since },
        outbox: await countOutbox(database, MOST_COUNTED),
        streams: parts.listeners.count,
        reconciliation: proofView(await readLastReconciliation(database)),
      };
    },
  );
}

function proofView(last: StoredReconciliation | null) {
  if (last === null) return null;
  const { at, messages, verified, differences } = last;
  return { at, messages, verified, differences };
}
