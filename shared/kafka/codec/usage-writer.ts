import type { Instant } from "../../core/line/account.ts";
import {
  type EventNames,
  ID_BYTES,
  NO_DIMENSIONS,
  NO_HOLD,
  type UsageColumns,
} from "../../core/usage/usage-columns.ts";
import {
  type EventWindow,
  earliestOf,
  latestOf,
  MAX_QUANTITIES,
  type ReceivedEvent,
  TEXT_PROBLEM,
} from "../../core/usage/usage-event.ts";
import type { UsageLayout } from "./usage-decoder.ts";

const UUID_TEXT = 36;
/** The branches of the union of null and text. */
const [NO_HOLD_BRANCH, HOLD_BRANCH] = [0, 1];
const HYPHEN = 45;
/** The value of each lower-case hexadecimal digit; of other bytes a number with high bits. */
const DIGIT = new Uint8Array(256).fill(0xff);
for (let digit = 0; digit < 16; digit += 1) DIGIT[digit.toString(16).charCodeAt(0)] = digit;

/** The Avro of an event: bytes `[from, end)`. */
interface EventRecord {
  readonly bytes: Buffer;
  readonly from: number;
  readonly end: number;
  readonly layout: UsageLayout;
}

/**
 * Fills columns with events in the Avro of our schemas, read where they are. What is not usual of an event
 * (`put` is false) is for the decoder and `rejectEvent`: nothing is rejected here.
 */
export class UsageWriter {
  #columns: UsageColumns;
  readonly #idTexts = new Map<number, string>();
  readonly #plain = new Map<number, ReceivedEvent>();
  readonly #earliest: Instant;
  readonly #latest: Instant;
  readonly #further: FurtherLines;
  #count = 0;
  #isAnyHold = false;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  /** `records`: how many there are at most. An event of several meters takes more places, which are then added. */
  constructor(records: number, names: EventNames, now: Instant, window: EventWindow) {
    this.#earliest = earliestOf(window, now);
    this.#latest = latestOf(window, now);
    this.#further = new FurtherLines(names.meters);
    const kept = {
      ...{ count: 0, names, isAnyHold: false },
      ...{ idTexts: this.#idTexts, plain: this.#plain },
    };
    this.#columns = { ...kept, ...emptyColumns(records) };
  }

  /** Of places. */
  get count(): number {
    return this.#count;
  }

  /** Adds the event of a record; false: it is not usual, and nothing is added. */
  put({ bytes, from, end, layout }: EventRecord, partition: number, offset: number): boolean {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
    const place = this.#count;
    this.#reserve(place + 1);
    const { names } = this.#columns;
    if (!this.#putId(place)) return false;
    const accountNumber = this.#name(names.accounts);
    const meterNumber = this.#name(names.meters);
    const amount = this.#long();
    const time = this.#long();
    const sourceNumber = this.#name(names.sources);
    const dimensionsNumber = this.#dimensions(layout);
    const isUsual =
      (accountNumber | meterNumber | sourceNumber | dimensionsNumber) >= 0 &&
      amount >= 0 &&
      time >= this.#earliest &&
      time <= this.#latest &&
      this.#readFurther(meterNumber, layout) &&
      this.#putHold(place, layout) &&
      this.#at === this.#end;
    if (!isUsual) {
      this.#idTexts.delete(place);
      return false;
    }
    const { account, meter, source, quantity, occurredAt, dimensions } = this.#columns;
    account[place] = accountNumber;
    meter[place] = meterNumber;
    quantity[place] = amount;
    occurredAt[place] = time;
    source[place] = sourceNumber;
    dimensions[place] = dimensionsNumber;
    this.#columns.partition[place] = partition;
    this.#columns.offset[place] = offset;
    this.#count += 1;
    if (this.#further.count > 0) this.#putFurther(place);
    return true;
  }

  /** Adds the further lines of the event at a place. */
  #putFurther(place: number): void {
    const further = this.#further;
    this.#reserve(this.#count + further.count);
    const { account, meter, source, quantity, occurredAt, dimensions, hold } = this.#columns;
    const { partition, offset, ids, goesOn } = this.#columns;
    const idText = this.#idTexts.get(place);
    for (let index = 0; index < further.count; index += 1) {
      const line = this.#count++;
      account[line] = account[place] ?? 0;
      source[line] = source[place] ?? 0;
      dimensions[line] = dimensions[place] ?? 0;
      hold[line] = hold[place] ?? NO_HOLD;
      occurredAt[line] = occurredAt[place] ?? 0;
      partition[line] = partition[place] ?? 0;
      offset[line] = offset[place] ?? 0;
      meter[line] = further.meters[index] ?? -1;
      quantity[line] = further.quantities[index] ?? 0;
      goesOn[line] = 1;
      if (idText !== undefined) this.#idTexts.set(line, idText);
      else ids.copyWithin(line * ID_BYTES, place * ID_BYTES, (place + 1) * ID_BYTES);
    }
  }

  /** Adds an event that is not usual, as it is. */
  putPlain(event: ReceivedEvent): void {
    const place = this.#count;
    this.#reserve(place + 1);
    const { names, account, partition, offset } = this.#columns;
    const id = Buffer.from(event.accountId);
    account[place] = names.accounts.numberOf(id, 0, id.length);
    partition[place] = event.partition;
    offset[place] = Number(event.offset);
    this.#plain.set(place, event);
    this.#count += 1;
  }

  finish(): UsageColumns {
    return { ...this.#columns, count: this.#count, isAnyHold: this.#isAnyHold };
  }

  #putId(place: number): boolean {
    const length = this.#long();
    const from = this.#at;
    if (!this.#skip(length)) return false;
    if (length === UUID_TEXT && putUuid(this.#bytes, from, this.#columns.ids, place * ID_BYTES)) {
      return true;
    }
    const text = this.#bytes.toString("utf8", from, this.#at);
    if (TEXT_PROBLEM.eventId(text) !== null) return false;
    this.#idTexts.set(place, text);
    return true;
  }

  #name(table: EventNames["accounts"]): number {
    const length = this.#long();
    const from = this.#at;
    return this.#skip(length) ? table.numberOf(this.#bytes, from, this.#at) : -1;
  }

  /** Of an event of the schema before, all that is left of the value. */
  #dimensions(layout: UsageLayout): number {
    const from = this.#at;
    if (layout === "one_meter") this.#at = this.#end;
    else if (!this.#readMap(this.#skipText)) return -1;
    const to = this.#at;
    if (to - from === 1 && this.#bytes[from] === 0) return NO_DIMENSIONS;
    return this.#columns.names.dimensions.numberOf(this.#bytes, from, to);
  }

  readonly #skipText = () => this.#skip(this.#long()) && this.#skip(this.#long());

  /** Reads the further lines; false: it is not usual. */
  #readFurther(meter: number, layout: UsageLayout): boolean {
    this.#further.begin(meter);
    return layout === "one_meter" || this.#readMap(this.#readLine);
  }

  /** Reads the hold, the last field; false: it is not usual. */
  #putHold(place: number, layout: UsageLayout): boolean {
    const { hold, names } = this.#columns;
    hold[place] = NO_HOLD;
    if (layout !== "with_hold") return true;
    const branch = this.#long();
    if (branch !== HOLD_BRANCH) return branch === NO_HOLD_BRANCH;
    const number = this.#name(names.holds);
    hold[place] = number;
    this.#isAnyHold = true;
    // An empty text has the number of no hold.
    return number > NO_HOLD;
  }

  readonly #readLine = () => {
    const meter = this.#name(this.#columns.names.meters);
    const quantity = this.#long();
    return meter >= 0 && quantity >= 0 && this.#further.add(meter, quantity);
  };

  /** Reads a map with `entry` for each of them; false: it is none as maps are usually written. */
  #readMap(entry: () => boolean): boolean {
    for (let left = this.#long(); left !== 0; left = this.#long()) {
      // Not of a block that begins with its size, nor of NaN.
      if (!(left > 0)) return false;
      for (; left > 0; left -= 1) if (!entry()) return false;
    }
    return true;
  }

  /** Makes room for so many places. */
  #reserve(places: number): void {
    const before = this.#columns;
    if (places <= before.account.length) return;
    const after = emptyColumns(2 * places);
    for (const name of Object.keys(after) as (keyof typeof after)[]) after[name].set(before[name]);
    this.#columns = { ...before, ...after };
  }

  /** False: there are fewer bytes. */
  #skip(length: number): boolean {
    if (!(length >= 0 && length <= this.#end - this.#at)) return false;
    this.#at += length;
    return true;
  }

  /** A number in zigzag; NaN: it breaks off, or its bits are more than a double keeps. */
  #long(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49 && this.#at < this.#end; scale *= 128) {
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
    }
    return Number.NaN;
  }
}

/** The further lines of an event while it is read, in the order of their meters' names. */
class FurtherLines {
  readonly meters = new Int32Array(MAX_QUANTITIES);
  readonly quantities = new Float64Array(MAX_QUANTITIES);
  count = 0;
  readonly #names: EventNames["meters"];
  #first = -1;

  constructor(names: EventNames["meters"]) {
    this.#names = names;
  }

  /** Begins those of an event with this meter. */
  begin(first: number): void {
    this.#first = first;
    this.count = 0;
  }

  /** False: the event has the meter already, or too many. */
  add(meter: number, quantity: number): boolean {
    const { meters, quantities } = this;
    if (meter === this.#first || this.count === MAX_QUANTITIES) return false;
    const name = this.#names.valueOf(meter);
    let at = this.count;
    for (; at > 0; at -= 1) {
      const before = meters[at - 1] ?? -1;
      if (before === meter) return false;
      if (this.#names.valueOf(before) < name) break;
      meters[at] = before;
      quantities[at] = quantities[at - 1] ?? 0;
    }
    meters[at] = meter;
    quantities[at] = quantity;
    this.count += 1;
    return true;
  }
}

function emptyColumns(places: number) {
  return {
    account: new Int32Array(places),
    meter: new Int32Array(places),
    source: new Int32Array(places),
    dimensions: new Int32Array(places),
    hold: new Int32Array(places),
    ids: new Uint8Array(places * ID_BYTES),
    quantity: new Float64Array(places),
    occurredAt: new Float64Array(places),
    partition: new Int32Array(places),
    offset: new Float64Array(places),
    goesOn: new Uint8Array(places),
  };
}

/** Writes the 16 bytes of a UUID in its canonical text; false: it is another text. */
function putUuid(text: Uint8Array, from: number, ids: Uint8Array, to: number): boolean {
  let wrong = 0;
  let at = from;
  for (let i = 0; i < ID_BYTES; i += 1) {
    if (i === 4 || i === 6 || i === 8 || i === 10) {
      wrong |= (text[at] ?? 0) ^ HYPHEN;
      at += 1;
    }
    const high = DIGIT[text[at] ?? 0] ?? 0xff;
    const low = DIGIT[text[at + 1] ?? 0] ?? 0xff;
    wrong |= (high | low) & 0xf0;
    ids[to + i] = (high << 4) | low;
    at += 2;
  }
  return wrong === 0;
}
