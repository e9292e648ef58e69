import { setTimeout as sleep } from "node:timers/promises";
import { isDatabaseOutage } from "../../ledger/postgres/outage.ts";
import type { ServiceContext } from "../../runtime/run-service.ts";
import { waitOut } from "../../runtime/waits.ts";
import { RegistryUnavailable } from "../codec/registry.ts";
import { isKafkaOutage } from "./kafka-client.ts";

/** Retries through outages of Postgres, Kafka and the registry until the service stops. */
export interface OutageRetry {
  /** Runs `work`, retries it during an outage, and logs `what` it waits for. */
  untilUp<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** Repeats `work`, through outages, until the service stops. */
  repeat(what: string, work: () => Promise<void>): Promise<void>;
  /** Sleeps; ends early when the service stops. */
  pause(ms: number): Promise<void>;
}

export function retryOutages({
  logger,
  stopping,
}: Pick<ServiceContext, "logger" | "stopping">): OutageRetry {
  const untilUp = <T>(what: string, work: () => Promise<T>) =>
    waitOut(work, {
      signal: stopping,
      isOutage,
      onWait: (error, waitMs) =>
        logger.warn({ waitMs, error: (error as Error).message }, `waiting for ${what}`),
    });
  return {
    untilUp,
    async repeat(what, work) {
      while (!stopping.aborted) await untilUp(what, work);
    },
    async pause(ms) {
      await sleep(ms, undefined, { signal: stopping }).catch(() => undefined);
    },
  };
}

function isOutage(error: unknown): boolean {
  return isDatabaseOutage(error) || isKafkaOutage(error) || error instanceof RegistryUnavailable;
}
