import { openUsageClient, type UsageClient } from "../../../shared/client/usage-client.ts";
import type { Logger } from "../../../shared/runtime/logger.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";

/** Longer than a request waits, so that what is answered with "send again" mostly still arrives. */
const GIVE_UP_AFTER_MS = 20_000;
const MARGIN_MS = 60_000;

/** The client that ingest publishes with. */
export function openIngestClient(
  { kafka, registry, metering }: Pick<Settings, "kafka" | "registry" | "metering">,
  logger: Logger,
): UsageClient {
  const { maxAheadMs, maxBehindMs } = metering.window;
  return openUsageClient({
    kafka,
    registry,
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    // Each event was judged by a clock read a moment ago, and is not judged otherwise now.
    window: { maxAheadMs: maxAheadMs + MARGIN_MS, maxBehindMs: maxBehindMs + MARGIN_MS },
    logger,
  });
}
