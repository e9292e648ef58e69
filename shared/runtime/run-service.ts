import { setTimeout as sleep } from "node:timers/promises";
import { collectDefaultMetrics } from "prom-client";
import { type Health, openHealth } from "./health/health.ts";
import { healthMetrics } from "./health/health-metrics.ts";
import { serveHealth } from "./health/serve-health.ts";
import { createLogger, type Logger } from "./logger.ts";
import { type Metrics, openMetrics } from "./metrics/metrics.ts";
import { InvalidSettings, readSettings, type Settings } from "./settings.ts";
import { openTracing } from "./tracing/open-tracing.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { untilAborted } from "./until-aborted.ts";
import { startWatchdog } from "./watchdog.ts";

/** A service that is asked to stop has ended by then. */
export const STOP_WITHIN_MS = 15_000;

export interface ServiceContext {
  readonly settings: Settings;
  readonly logger: Logger;
  /** Aborted when the service is asked to stop (SIGTERM, SIGINT). */
  readonly stopping: AbortSignal;
  /** What `/livez` and `/readyz` report. */
  readonly health: Health;
  /** What `/metrics` serves, on the port of its health. */
  readonly metrics: Metrics;
  /** Null: traces are off. */
  readonly tracing: Tracing | null;
}

/**
 * Runs a service as this process until it is asked to stop (exit 0) or fails (exit 1; a supervisor
 * restarts it), or until its event loop stands still (SIGKILL). `service` returns once it has stopped cleanly.
 */
export async function runService(
  name: string,
  service: (context: ServiceContext) => Promise<void>,
): Promise<never> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const settings = settingsOrExit();
  const logger = createLogger(name, settings.logLevel);
  startWatchdog(name, settings.eventLoopLimitMs);
  const { stalledAfterMs, ...listen } = settings.health;
  const health = openHealth(stalledAfterMs, stop.signal);
  const metrics = openMetrics();
  collectDefaultMetrics({ register: metrics.register });
  healthMetrics(metrics, health);
  let tracing: Tracing | null = null;
  try {
    tracing = await openTracing(name, settings.traces, logger);
    const context = { settings, logger, stopping: stop.signal, health, metrics, tracing };
    const address = await serveHealth(name, { reports: health, metrics }, listen);
    logger.info({ address }, "serving health");
    await Promise.race([service(context), stuck(stop.signal)]);
    await tracing?.close();
    logger.info("stopped");
    process.exit(0);
  } catch (error) {
    if (stop.signal.aborted) {
      logger.warn({ err: error }, "stopped before it was done");
      process.exit(0);
    }
    logger.fatal({ err: error }, "ended by an error");
    await tracing?.close();
    process.exit(1);
  }
}

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (!(error instanceof InvalidSettings)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

/** Rejects when a stop takes too long. */
async function stuck(stopping: AbortSignal): Promise<never> {
  await untilAborted(stopping);
  await sleep(STOP_WITHIN_MS, undefined, { ref: false });
  throw new Error(`did not stop within ${STOP_WITHIN_MS / 1000} s`);
}
