import { idProblem, toAccountId } from "../../../shared/core/text/text.ts";
import { type DeadLetterPlace, placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { openRegistry } from "../../../shared/kafka/codec/open-registry.ts";
import { RegistryUnavailable } from "../../../shared/kafka/codec/registry.ts";
import { openUsageDecoder } from "../../../shared/kafka/codec/usage-decoder.ts";
import { type KeptDeadLetter, readDeadLetter } from "../../../shared/ledger/dead-letters/read.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { findMeteredEvent } from "../../../shared/ledger/usage/explain.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { addressesOf } from "../shell/probe-parts.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { reasonOf, withDatabase } from "../shell/with-database.ts";
import { shownLetter, shownText, toShownLetter } from "./show-text.ts";

export async function showLetter(settings: Settings, place: DeadLetterPlace): Promise<Result> {
  return withDatabase(settings, async (database) => {
    const letter = await readDeadLetter(database, place);
    if (letter === null) return refused({ kind: "unknown_dead_letter", place: placeText(place) });
    const event = await readEvent(settings, letter);
    const record =
      typeof event === "string" || !hasIdentity(event)
        ? null
        : await readSnapshot(database, (transaction) =>
            findMeteredEvent(transaction, { ...event, accountId: toAccountId(event.accountId) }),
          );
    const dead = { letter, event, record: record === null || "kind" in record ? null : record };
    return shown(shownLetter, toShownLetter(dead), shownText(dead));
  });
}

/** The event in a dead letter, or why it cannot be read. */
async function readEvent(
  settings: Settings,
  { payload, partition, offset }: KeptDeadLetter,
): Promise<UsageEvent | string> {
  if (payload.length === 0) return "there are no bytes";
  const decoder = openUsageDecoder(openRegistry(settings.registry, 0));
  try {
    await decoder.learn([payload]);
  } catch (error) {
    if (!(error instanceof RegistryUnavailable)) throw error;
    const { registry } = addressesOf(settings);
    return `the schema registry at ${registry} cannot be reached: ${reasonOf(error)}`;
  }
  const decoded = decoder.decode(payload, partition, offset);
  return "reason" in decoded ? decoded.detail : decoded;
}

function hasIdentity({ accountId, eventId }: UsageEvent): boolean {
  return idProblem("account_id", accountId) === null && idProblem("event_id", eventId) === null;
}
