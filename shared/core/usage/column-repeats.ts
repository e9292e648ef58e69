import { eventAt, type UsageColumns } from "./usage-columns.ts";
import { identityOf, isSameEvent, type UsageEvent } from "./usage-event.ts";

/**
 * The places of events that may be repeats, each with the place of the first event in the batch that may be the
 * same. One whose own place that is may be metered already. All other events come for the first time.
 */
export type PossibleRepeats = ReadonlyMap<number, number>;

/** `other`: a conflict, or a repeat of another event than was looked at. */
export type Judged = "first" | "repeat" | "other";

/**
 * What the event at a place of `PossibleRepeats` is. Of one that is the first in the batch, `recorded` decides;
 * any other is judged by the first.
 */
export function judgeRepeat(
  columns: UsageColumns,
  place: number,
  first: number,
  recorded: ReadonlyMap<string, UsageEvent>,
): Judged {
  const event = eventAt(columns, place);
  const identity = identityOf(event);
  const before = first === place ? recorded.get(identity) : eventAt(columns, first);
  if (before === undefined) return "first";
  return identityOf(before) === identity && isSameEvent(before, event) ? "repeat" : "other";
}
