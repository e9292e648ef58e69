import { openUsageClient, type UsageClient } from "../../../shared/client/usage-client.ts";
import type { Logger } from "../../../shared/runtime/logger.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";

/** Longer than a request waits, so that most events answered with "send again" still arrive. */
const GIVE_UP_AFTER_MS = 20_000;
const MARGIN_MS = 60_000;

/** Opens the client that ingest publishes with. */
export function openIngestClient(
  { kafka, registry, metering }: Pick<Settings, "kafka" | "registry" | "metering">,
  logger: Logger,
): UsageClient {
  const { maxAheadMs, maxBehindMs } = metering.window;
  return openUsageClient({
    kafka,
    registry,
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    // Ingest has checked each event already; the margin avoids a different result a moment later.
    window: { maxAheadMs: maxAheadMs + MARGIN_MS, maxBehindMs: maxBehindMs + MARGIN_MS },
    logger,
  });
}
