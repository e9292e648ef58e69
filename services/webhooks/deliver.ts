import type { Instant } from "../../shared/core/line/account.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import { workInSets } from "../../shared/ledger/postgres/work-in-sets.ts";
import {
  type ClaimedQueue,
  claimDeliveries,
  queueName,
} from "../../shared/ledger/webhooks/claim-deliveries.ts";
import { type OpenEndpoint, openEndpoints } from "../../shared/ledger/webhooks/endpoints.ts";
import {
  type Attempt,
  type SentQueue,
  settleDeliveries,
} from "../../shared/ledger/webhooks/settle-deliveries.ts";
import { watchLoop } from "../../shared/runtime/health/watch-loop.ts";
import { workInHand } from "../../shared/runtime/health/work-in-hand.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import type { Rooms } from "./rooms.ts";
import type { Sender } from "./send.ts";

/** Deliveries of an account that are sent in one claim. */
const MOST_IN_A_CLAIM = 10;
/** After this, a claim is settled before more is sent. */
const CLAIM_MS = 20_000;
/** Longer than a claim takes, with its last answer. Afterwards another process may take it over. */
const LEASE_MS = 60_000;
const CHECK_EVERY_MS = 200;
/** Between claims, so that more have gathered. */
const REST_MS = 20;
/** Less than a service may take to stop. */
const CUT_AFTER_MS = 8_000;
const MOST_IN_A_SET = 100;
/** Claims that are being sent, or wait to be recorded: no more are made meanwhile, so that memory is bounded. */
const MOST_IN_PROGRESS = 1_000;

interface DeliveryContext {
  readonly database: Database;
  readonly sender: Pick<Sender, "send">;
  readonly rooms: Rooms;
  readonly logger: Logger;
  readonly waits: OutageRetry;
  readonly stopping: AbortSignal;
  now(): Instant;
}

/**
 * Delivers what is due. The table of queues is the queue: only what is in hand is in memory, and any number of
 * processes may share it.
 */
export function delivering(context: DeliveryContext) {
  const { database, rooms, logger, waits, stopping, now } = context;
  const inProgress = new Set<Promise<void>>();
  const inHand = workInHand();
  const loop = watchLoop();
  const sleeper = openSleeper(stopping);
  const cut = cutSignal(stopping);
  const settle = settlingInSets(context);

  async function deliver(endpoint: OpenEndpoint, queue: ClaimedQueue): Promise<void> {
    const { endpointId, accountId } = queue;
    const piece = inHand.take();
    rooms.take(endpointId);
    try {
      const attempts = await sendInOrder(context, endpoint, queue, cut).finally(() => {
        // Whoever is next need not wait until this is recorded, which is done for many at once.
        rooms.giveBack(endpointId);
        sleeper.wake();
      });
      await settle({ queue, attempts });
    } catch (error) {
      // The claim ends, and then it is sent again.
      const level = isDatabaseOutage(error) ? "warn" : "error";
      logger[level]({ endpointId, accountId, err: error }, "a delivery could not be recorded");
    } finally {
      piece.done();
      sleeper.wake();
    }
  }

  async function claimMore(): Promise<void> {
    if (inProgress.size >= MOST_IN_PROGRESS) return sleeper.sleep(CHECK_EVERY_MS);
    const endpoints = await openEndpoints(database, now());
    const byId = new Map(endpoints.map((endpoint) => [endpoint.endpointId, endpoint]));
    const free = rooms.free([...byId.keys()]);
    if (free.length === 0) return sleeper.sleep(CHECK_EVERY_MS);
    const claim = { now: now(), leaseMs: LEASE_MS, most: MOST_IN_A_CLAIM };
    const claimed = await claimDeliveries(database, free, claim);
    for (const queue of claimed) {
      const endpoint = byId.get(queue.endpointId);
      if (endpoint === undefined) continue;
      const delivery: Promise<void> = deliver(endpoint, queue).finally(() =>
        inProgress.delete(delivery),
      );
      inProgress.add(delivery);
    }
    if (claimed.length === 0) await sleeper.sleep(CHECK_EVERY_MS);
    else await waits.pause(REST_MS);
  }

  return {
    /** Checks for deliveries immediately. */
    wake: sleeper.wake,
    /** For how many milliseconds no claim has ended that should have, or a delivery has outlasted its claim. */
    standsForMs: () => Math.max(loop.standsForMs(), inHand.standsForMs() - LEASE_MS),
    /** Runs until the service stops and deliveries in progress have ended. */
    async run(): Promise<void> {
      await waits.repeat("webhooks to deliver", loop.turn(claimMore));
      await Promise.all(inProgress);
    },
  };
}

/** Sends the deliveries of a queue one after another, until one fails. */
async function sendInOrder(
  { sender, rooms, logger, stopping, now }: DeliveryContext,
  endpoint: OpenEndpoint,
  { endpointId, deliveries }: ClaimedQueue,
  cut: AbortSignal,
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  const until = performance.now() + CLAIM_MS;
  for (const delivery of deliveries) {
    if (stopping.aborted || performance.now() > until) break;
    const triedAt = now();
    const startedAt = performance.now();
    const answer = await sender.send(endpoint, delivery, { at: triedAt, cut });
    if (answer === null) break;
    const { status, start: answerStart, problem } = answer;
    const tookMs = Math.round(performance.now() - startedAt);
    attempts.push({ sequence: delivery.sequence, triedAt, tookMs, status, answerStart, problem });
    if (rooms.note(endpointId, problem !== null)) {
      logger.warn({ endpointId, problem }, "a webhook endpoint fails; it is tried again");
    }
    if (problem !== null) break;
  }
  return attempts;
}

function settlingInSets({ database, logger, waits, now }: DeliveryContext) {
  return workInSets<SentQueue, void>({
    most: MOST_IN_A_SET,
    keyOf: ({ queue }) => queueName(queue),
    async work(sent) {
      const paused = await waits.untilUp("Postgres", () => settleDeliveries(database, sent, now()));
      for (const { endpointId, problem } of paused) {
        const why =
          "a webhook endpoint has failed for too long and is paused; resume it when it is well";
        logger.error({ endpointId, problem }, why);
      }
      return () => undefined;
    },
  });
}

/** Aborted some time after the service is asked to stop, to cut off what still waits for an answer. */
function cutSignal(stopping: AbortSignal): AbortSignal {
  const cut = new AbortController();
  const later = () => setTimeout(() => cut.abort(), CUT_AFTER_MS).unref();
  stopping.addEventListener("abort", later, { once: true });
  return cut.signal;
}
