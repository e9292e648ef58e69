import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { openRegistry, RegistryUnavailable } from "../../../shared/kafka/codec/registry.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import type { KeptDeadLetter } from "../../../shared/ledger/dead-letters/read.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { addressesOf } from "../shell/probe-parts.ts";
import { reasonOf } from "../shell/with-database.ts";

/** The event in a dead letter, or why it cannot be read (now). */
export async function readEvent(
  settings: Settings,
  { payload, partition, offset }: KeptDeadLetter,
): Promise<UsageEvent | string> {
  if (payload.length === 0) return "there are no bytes";
  const decoder = openUsageDecoder(openRegistry(settings.registry));
  try {
    await decoder.learn([payload]);
  } catch (error) {
    if (!(error instanceof RegistryUnavailable)) throw error;
    const where = `the schema registry at ${addressesOf(settings).registry}`;
    return `${where} cannot be reached: ${reasonOf(error)}`;
  }
  const read = decoder.decode(payload, partition, offset);
  return "reason" in read ? read.detail : read;
}
