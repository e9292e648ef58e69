import Stripe from "stripe";
import type { Logger } from "../../shared/runtime/logger.ts";
import { growingWait } from "../../shared/runtime/waits.ts";
import type { WebhookEvent } from "./webhook-event.ts";

const MOST_TRIES = 5;
const TRY_WITHIN_MS = 5_000;
const MOST_AT_ONCE = 8;
const MOST_QUEUED = 10_000;

export interface Webhooks {
  /** Sends the event `afterMs` from now, in its own time; nobody waits for it. */
  post(event: WebhookEvent, afterMs?: number): void;
  /** What is not delivered by now never is. */
  close(): void;
}

export interface WebhookOptions {
  readonly url: string;
  readonly secret: string;
}

interface Delivery {
  readonly event: WebhookEvent;
  readonly tries: number;
}

/** Where nobody listens. */
export const NO_WEBHOOKS: Webhooks = { post() {}, close() {} };

/**
 * Delivers events signed as Stripe signs, at least once and in no order. They are kept in memory
 * only: a restart loses them, and of more than 10,000 the newest are dropped, as is what failed five
 * times. So a receiver must not rely on them; a real gateway's come late or never, too.
 */
export function openWebhooks({ url, secret }: WebhookOptions, logger: Logger): Webhooks {
  const stopping = new AbortController();
  const ready: Delivery[] = [];
  let queued = 0;
  let sending = 0;

  function wait(delivery: Delivery, ms: number): void {
    const deliver = () => {
      ready.push(delivery);
      sendReady();
    };
    setTimeout(deliver, ms).unref();
  }

  function sendReady(): void {
    while (sending < MOST_AT_ONCE && !stopping.signal.aborted) {
      const delivery = ready.shift();
      if (delivery === undefined) return;
      sending += 1;
      void attempt(delivery).finally(() => {
        sending -= 1;
        sendReady();
      });
    }
  }

  async function attempt({ event, tries: before }: Delivery): Promise<void> {
    const tries = before + 1;
    const failure = await send(event, url, secret, stopping.signal);
    if (failure !== null && tries < MOST_TRIES) {
      logger.debug({ event: event.id, tries, failure }, "webhook failed");
      wait({ event, tries }, growingWait(tries));
      return;
    }
    queued -= 1;
    if (failure !== null && !stopping.signal.aborted) {
      logger.warn({ event: event.id, tries, failure }, "webhook given up");
    }
  }

  return {
    post(event, afterMs = 0) {
      if (queued >= MOST_QUEUED) {
        logger.warn({ event: event.id, queued }, "webhook dropped: too many are waiting");
        return;
      }
      queued += 1;
      wait({ event, tries: 0 }, afterMs);
    },
    close: () => stopping.abort(),
  };
}

/** Null when the receiver has taken it, else why not. */
async function send(
  { json }: WebhookEvent,
  url: string,
  secret: string,
  stopping: AbortSignal,
): Promise<string | null> {
  try {
    const signature = Stripe.webhooks.generateTestHeaderString({ payload: json, secret });
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Stripe-Signature": signature },
      body: json,
      redirect: "manual",
      signal: AbortSignal.any([stopping, AbortSignal.timeout(TRY_WITHIN_MS)]),
    });
    await response.body?.cancel();
    return response.ok ? null : `answered ${response.status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
