import type { Instant } from "../../../shared/core/line/account.ts";
import { USAGE_READER } from "../../../shared/core/text/topics.ts";
import type { ReceivedEvent } from "../../../shared/core/usage/usage-event.ts";
import type { UsageBatch, UsageRun } from "../../../shared/ledger/usage/batch.ts";
import { columnsOf, placesOfEvents } from "../core/columns-of.ts";

/** A run with its events; what is missing is nothing. */
export type RunOfEvents = Pick<UsageRun, "partition" | "fetchedFrom" | "nextOffset"> &
  Partial<Pick<UsageRun, "deadLetters" | "messageAt">> & {
    readonly events: readonly ReceivedEvent[];
  };

/** Runs of events as one batch in columns, as metering decodes them. */
export function batchOf(
  runs: readonly RunOfEvents[],
  { now, expectRepeats = false }: { readonly now: Instant; readonly expectRepeats?: boolean },
): UsageBatch {
  const columns = columnsOf(runs.flatMap(({ events }) => events));
  const places = placesOfEvents(columns);
  let [from, read] = [0, 0];
  return {
    reader: USAGE_READER,
    now,
    columns,
    runs: runs.map(({ events, deadLetters = [], messageAt = noMessage, ...run }) => {
      read += events.length;
      const to = places[read] ?? columns.count;
      const part = { ...run, from, to, deadLetters, messageAt };
      from = to;
      return part;
    }),
    expectRepeats,
  };
}

/** What is put into the dead letter of an event that is rejected. */
function noMessage(): ReturnType<UsageRun["messageAt"]> {
  return { key: null, value: Buffer.alloc(0) };
}
