import type { Logger } from "../logger.ts";
import type { TraceSettings, Tracing } from "./tracing.ts";

/** Loads OpenTelemetry and begins to send traces; null, and nothing is loaded: they are off. */
export async function openTracing(
  service: string,
  settings: TraceSettings | null,
  logger: Logger,
): Promise<Tracing | null> {
  if (settings === null) return null;
  const { openOtlpTracing } = await import("./otlp-tracing.ts");
  return openOtlpTracing(service, settings, logger);
}
