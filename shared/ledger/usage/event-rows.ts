import {
  type EventIdentity,
  identityOf,
  type ReceivedEvent,
  type UsageEvent,
} from "../../core/usage/usage-event.ts";

/** A line of an event by itself, with all that its event says. */
export type ReceivedLine = Omit<ReceivedEvent, "quantities">;

/** A line of an event as the books have it: a row of its own. */
export interface EventRow extends ReceivedLine {
  /** Among the rows of its transaction. */
  readonly place: number;
}

/** What tells of which event a row is. */
type RowOfEvent = EventIdentity & Pick<EventRow, "meter" | "partition" | "offset" | "place">;

/** The rows of an event, in the order of its lines. */
type EventRows<Row> = readonly [first: Row, ...further: Row[]];

/**
 * Rows by event: those of one identity that were read from one message, in the order of their places. A meter that
 * comes again is of another event: the books have metered the message twice.
 */
export function rowsByEvent<Row extends RowOfEvent>(rows: readonly Row[]): EventRows<Row>[] {
  const byMessage = new Map<string, [Row, ...Row[]][]>();
  for (const row of rows.toSorted((a, b) => a.place - b.place)) {
    const message = `${row.partition}/${row.offset}/${identityOf(row)}`;
    const events = byMessage.get(message) ?? [];
    byMessage.set(message, events);
    const event = events.find((known) => known.every(({ meter }) => meter !== row.meter));
    if (event === undefined) events.push([row]);
    else event.push(row);
  }
  return [...byMessage.values()].flat();
}

/** The event of rows; what else the first of them says stays. */
export function eventOfRows<Row extends ReceivedLine>(rows: EventRows<Row>): Row & UsageEvent {
  const [first, ...further] = rows;
  const quantities = further.map(({ meter, quantity }) => [meter, quantity] as const);
  return { ...first, quantities: Object.fromEntries(quantities) };
}
