import type { Instant } from "../line/account.ts";
import { NO_QUANTITIES, type Quantities } from "./event-lines.ts";
import { NameTable } from "./name-table.ts";
import type { ReceivedEvent } from "./usage-event.ts";

/** The names in events, each numbered once. */
export interface EventNames {
  readonly accounts: NameTable<string>;
  readonly meters: NameTable<string>;
  readonly sources: NameTable<string>;
  readonly dimensions: NameTable<Readonly<Record<string, string>>>;
  readonly holds: NameTable<string>;
}

/**
 * Events of a batch field by field: place `i` of each array is an event, or a line of one that has several. Those of
 * one partition follow each other in offset order. All have passed `rejectEvent`.
 */
export interface UsageColumns {
  /** Of places. */
  readonly count: number;
  readonly names: EventNames;
  /** Numbers of names. An account of -1 has no number: its events are all in `plain`. */
  readonly account: Int32Array;
  readonly meter: Int32Array;
  readonly source: Int32Array;
  readonly dimensions: Int32Array;
  readonly hold: Int32Array;
  /** False: `hold` is `NO_HOLD` throughout. */
  readonly isAnyHold: boolean;
  /** 16 bytes for each event: its id, if that is a UUID in its canonical text. */
  readonly ids: Uint8Array;
  /** The ids that are not, by place. */
  readonly idTexts: ReadonlyMap<number, string>;
  /** From 0 to below 2^52. */
  readonly quantity: Float64Array;
  readonly occurredAt: Float64Array;
  readonly partition: Int32Array;
  readonly offset: Float64Array;
  /** 1: a further line of the event at the place before. What is not of the line itself is there again. */
  readonly goesOn: Uint8Array;
  /** Events that do not fit into the columns, by place: the columns have no more than their account. */
  readonly plain: ReadonlyMap<number, ReceivedEvent>;
}

export const ID_BYTES = 16;
/** The number of the dimensions of events that have none. */
export const NO_DIMENSIONS = 0;
/** The number of the hold of events that name none. */
export const NO_HOLD = 0;

/** The event whose first line is at a place. */
export function eventAt(columns: UsageColumns, place: number): ReceivedEvent {
  const plain = columns.plain.get(place);
  if (plain !== undefined) return plain;
  const { names } = columns;
  return {
    partition: columns.partition[place] ?? 0,
    offset: BigInt(columns.offset[place] ?? 0),
    eventId: eventIdAt(columns, place),
    accountId: names.accounts.valueOf(columns.account[place] ?? -1),
    meter: names.meters.valueOf(columns.meter[place] ?? -1),
    quantity: BigInt(columns.quantity[place] ?? 0),
    occurredAt: columns.occurredAt[place] ?? 0,
    source: names.sources.valueOf(columns.source[place] ?? -1),
    dimensions: names.dimensions.valueOf(columns.dimensions[place] ?? -1),
    quantities: quantitiesBehind(columns, place),
    holdId: holdIdAt(columns, place),
  };
}

function quantitiesBehind(columns: UsageColumns, place: number): Quantities {
  const { goesOn, names, meter, quantity } = columns;
  if (goesOn[place + 1] !== 1) return NO_QUANTITIES;
  const further: [string, bigint][] = [];
  for (let line = place + 1; goesOn[line] === 1; line += 1) {
    further.push([names.meters.valueOf(meter[line] ?? -1), BigInt(quantity[line] ?? 0)]);
  }
  return Object.fromEntries(further);
}

/** Of these places, those of first lines: one for each event. */
export function firstLines({ goesOn }: UsageColumns, places: Int32Array): Int32Array {
  return goesOn.includes(1) ? places.filter((place) => goesOn[place] !== 1) : places;
}

/** The account of the event at a place. */
export function accountIdAt({ names, account, plain }: UsageColumns, place: number): string {
  return plain.get(place)?.accountId ?? names.accounts.valueOf(account[place] ?? -1);
}

/** The hold that an event which is not in `plain` names. */
export function holdIdAt({ names, hold }: UsageColumns, place: number): string | null {
  const number = hold[place] ?? NO_HOLD;
  return number === NO_HOLD ? null : names.holds.valueOf(number);
}

/** The meter of the line at a place. */
export function meterAt({ names, meter, plain }: UsageColumns, place: number): string {
  return plain.get(place)?.meter ?? names.meters.valueOf(meter[place] ?? -1);
}

/** The meters of further quantities of an event in `plain`; all others have places of their own. */
export function furtherMetersAt({ plain }: UsageColumns, place: number): readonly string[] {
  const event = plain.get(place);
  return event === undefined ? NO_METERS : Object.keys(event.quantities);
}

const NO_METERS: readonly string[] = [];

/** When the event at a place occurred. */
export function occurredAtAt({ occurredAt, plain }: UsageColumns, place: number): Instant {
  return plain.get(place)?.occurredAt ?? occurredAt[place] ?? 0;
}

/** Columns of events that are all kept as they are. */
export function plainColumns(events: readonly ReceivedEvent[]): UsageColumns {
  const count = events.length;
  return {
    count,
    names: NO_NAMES,
    account: new Int32Array(count).fill(-1),
    meter: new Int32Array(count),
    source: new Int32Array(count),
    dimensions: new Int32Array(count),
    ids: new Uint8Array(0),
    idTexts: new Map(),
    hold: new Int32Array(count),
    isAnyHold: false,
    quantity: new Float64Array(count),
    occurredAt: new Float64Array(count),
    partition: Int32Array.from(events, ({ partition }) => partition),
    offset: Float64Array.from(events, ({ offset }) => Number(offset)),
    goesOn: new Uint8Array(count),
    plain: new Map(events.entries()),
  };
}

const NO_NAMES: EventNames = {
  accounts: new NameTable<string>(() => null),
  meters: new NameTable<string>(() => null),
  sources: new NameTable<string>(() => null),
  dimensions: new NameTable<Readonly<Record<string, string>>>(() => null),
  holds: new NameTable<string>(() => null),
};

/** The id of an event that is not in `plain`. */
export function eventIdAt({ ids, idTexts }: UsageColumns, place: number): string {
  return idTexts.get(place) ?? uuidText(ids, place * ID_BYTES);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The canonical text of the UUID at `from`. */
function uuidText(bytes: Uint8Array, from: number): string {
  let text = "";
  for (let i = 0; i < ID_BYTES; i += 1) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX[bytes[from + i] ?? 0];
  }
  return text;
}
