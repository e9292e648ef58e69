import { linesOf } from "../../../shared/core/usage/event-lines.ts";
import type { Drawn, Metering } from "../../../shared/core/usage/events-in-batch.ts";
import type { ColumnMetering } from "../../../shared/core/usage/meter-columns.ts";
import {
  eventAt,
  firstLines,
  type UsageColumns,
} from "../../../shared/core/usage/usage-columns.ts";
import {
  identityOf,
  type ReceivedEvent,
  type UsageEvent,
} from "../../../shared/core/usage/usage-event.ts";
import { keepNames } from "../../../shared/kafka/codec/usage-names.ts";
import { UsageWriter } from "../../../shared/kafka/codec/usage-writer.ts";
import { usageBytes } from "../kafka/usage-bytes.ts";

const names = keepNames();
const ANY_TIME = { maxAheadMs: Number.POSITIVE_INFINITY, maxBehindMs: Number.POSITIVE_INFINITY };

/** Events as metering decodes them; those that do not fit into columns are kept as they are. */
export function columnsOf(events: readonly ReceivedEvent[]): UsageColumns {
  const writer = new UsageWriter(events.length, names(), 0, ANY_TIME);
  for (const event of events) if (!put(writer, event)) writer.putPlain(event);
  return writer.finish();
}

function put(writer: UsageWriter, event: ReceivedEvent): boolean {
  const { dimensions, quantities, partition, offset } = event;
  const maps = { dimensions: Object.entries(dimensions), quantities: Object.entries(quantities) };
  const bytes = usageBytes({ ...event, ...maps });
  const record = { bytes, from: 0, end: bytes.length, layout: "with_hold" } as const;
  return writer.put(record, partition, Number(offset));
}

/** Events without a place, at the offsets from 0 on. */
export function received(events: readonly UsageEvent[]): ReceivedEvent[] {
  return events.map((event, index) => ({ ...event, partition: 0, offset: BigInt(index) }));
}

/** By place, those of these events that repeat one before them, whatever its content, or one that is recorded. */
export function possibleRepeats(
  events: readonly UsageEvent[],
  recorded: ReadonlyMap<string, UsageEvent>,
  places: ArrayLike<number> = [...events.keys()],
): Map<number, number> {
  const firsts = new Map<string, number>();
  const mayRepeat = new Map<number, number>();
  for (const [index, event] of events.entries()) {
    const place = places[index] ?? -1;
    const identity = identityOf(event);
    const first = firsts.get(identity) ?? place;
    firsts.set(identity, first);
    if (first !== place || recorded.has(identity)) mayRepeat.set(place, first);
  }
  return mayRepeat;
}

/** The place of each event. */
export function placesOfEvents(columns: UsageColumns): Int32Array {
  return firstLines(columns, allPlaces(columns));
}

/** Places from 0 on. */
export function allPlaces({ count }: UsageColumns): Int32Array {
  return Int32Array.from({ length: count }, (_, place) => place);
}

/** What was drawn in columns as events, the whole in one order. */
export function inOneOrder({ columns, ...metering }: ColumnMetering): Metering<ReceivedEvent> {
  const drawn: Drawn<ReceivedEvent>[] = [...metering.drawn];
  for (const { from, to, start } of columns?.stretches ?? []) {
    let position = BigInt(start);
    for (let index = from; index < to; ) {
      const event = eventAt(columns?.columns as UsageColumns, columns?.order[index] ?? 0);
      const end = index + linesOf(event).length;
      const lineCredits = Array.from(columns?.credits.subarray(index, end) ?? [], BigInt);
      const credits = lineCredits.reduce((sum, each) => sum + each, 0n);
      drawn.push({ event, credits, givenBack: 0n, start: position, lineCredits });
      position += credits;
      index = end;
    }
  }
  return ordered({ ...metering, drawn });
}

/** The same metering, its parts sorted by what they are about. */
export function ordered(metering: Metering<ReceivedEvent>): Metering<ReceivedEvent> {
  const byOffset = (a: Drawn<ReceivedEvent>, b: Drawn<ReceivedEvent>) =>
    Number(a.event.offset - b.event.offset);
  return {
    ...metering,
    drawn: metering.drawn.toSorted(byOffset),
    accounts: metering.accounts.toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1)),
    spends: sorted(
      metering.spends,
      ({ accountId, hour, meter }) => `${accountId}\0${hour}\0${meter}`,
    ),
    carried: sorted(metering.carried, (one) => `${one.accountId}\0${one.meter}\0${one.validFrom}`),
    months: sorted(
      metering.months,
      (one) => `${one.accountId}\0${one.meter}\0${one.validFrom}\0${one.month}`,
    ),
  };
}

function sorted<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
