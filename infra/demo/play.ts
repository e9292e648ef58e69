import { setTimeout as wait } from "node:timers/promises";
import type { UsageClient } from "../../shared/client/usage-client.ts";
import type { PlannedEvent } from "./plan-events.ts";

/**
 * Publishes the events as a product service would, `speedUp` times as fast as the trace; an event
 * occurs when it is published. Resolves when Kafka has all of them. Rejects when one cannot be
 * delivered, when `onDelivered` throws, or when `signal` aborts.
 */
export async function play(
  client: UsageClient,
  events: readonly PlannedEvent[],
  options: { speedUp: number; signal: AbortSignal; onDelivered: () => void },
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const onFailed = (error: unknown) => failure.abort(error);
  const startedAt = performance.now();
  for (const event of events) {
    const dueInMs = startedAt + event.afterMs / options.speedUp - performance.now();
    if (dueInMs >= 1) await wait(dueInMs, undefined, { signal }).catch(() => undefined);
    await client.ready();
    signal.throwIfAborted();
    const { eventId, accountId, meter, quantity } = event;
    client
      .publish({ eventId, accountId, meter, quantity, dimensions: { model: "code-completion" } })
      .then(options.onDelivered)
      .catch(onFailed);
  }
  await client.flush();
  signal.throwIfAborted();
}
