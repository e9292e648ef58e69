import { sendPaymentWebhook } from "./send-webhook.ts";
import type { Store } from "./store.ts";
import type { Webhooks } from "./webhooks.ts";

const PROCESSING_MS = 1_000;

export type ProcessingClock = ReturnType<typeof settleProcessing>;

/** Lets each processing payment succeed a second after it was made, even across restarts. */
export function settleProcessing(store: Store, webhooks: Webhooks) {
  let timer: NodeJS.Timeout | undefined;

  /** Call it after a payment has begun processing. */
  function start(): void {
    if (timer !== undefined) return;
    const oldest = store.payments.oldestProcessing();
    if (oldest === null) return;
    timer = setTimeout(settle, Math.max(0, oldest + PROCESSING_MS - Date.now()));
  }

  function settle(): void {
    timer = undefined;
    const now = Date.now();
    for (const payment of store.payments.settle(now - PROCESSING_MS)) {
      sendPaymentWebhook(webhooks, payment, now);
    }
    start();
  }

  return { start, stop: () => clearTimeout(timer) };
}
