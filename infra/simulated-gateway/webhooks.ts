import Stripe from "stripe";
import type { Logger } from "../../shared/runtime/logger.ts";
import { growingWait } from "../../shared/runtime/waits.ts";

const MOST_TRIES = 5;
const TRY_WITHIN_MS = 5_000;
const MOST_CONCURRENT = 8;
const MOST_QUEUED = 10_000;

export interface WebhookEvent {
  readonly id: string;
  /** The body that is sent. */
  readonly json: string;
}

export interface Webhooks {
  /** Sends the event in the background, `afterMs` from now. */
  post(event: WebhookEvent, afterMs?: number): void;
  /** Drops what is not delivered. */
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

export const NO_WEBHOOKS: Webhooks = { post() {}, close() {} };

/**
 * Delivers events, signed as Stripe does, in any order and possibly more than once. They are kept in
 * memory: a restart loses them, those beyond 10,000 are dropped, and each is dropped after five
 * failures. A receiver must not rely on them, as with any gateway.
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
    while (sending < MOST_CONCURRENT && !stopping.signal.aborted) {
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
      logger.warn({ event: event.id, tries, failure }, "webhook abandoned");
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

/** Null if the receiver accepted it, else the failure. */
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
