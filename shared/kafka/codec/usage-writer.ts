import type { Instant } from "../../core/line/account.ts";
import {
  type EventNames,
  ID_BYTES,
  NO_DIMENSIONS,
  type UsageColumns,
} from "../../core/usage/usage-columns.ts";
import {
  type EventWindow,
  earliestOf,
  latestOf,
  type ReceivedEvent,
  TEXT_PROBLEM,
} from "../../core/usage/usage-event.ts";

const UUID_TEXT = 36;
const HYPHEN = 45;
/** The value of each lower-case hexadecimal digit; of other bytes a number with high bits. */
const DIGIT = new Uint8Array(256).fill(0xff);
for (let digit = 0; digit < 16; digit += 1) DIGIT[digit.toString(16).charCodeAt(0)] = digit;

/**
 * Fills columns with events in the Avro of the current schema, read where they are. What is not usual of
 * an event (`put` is false) is for the decoder and `rejectEvent`: nothing is rejected here.
 */
export class UsageWriter {
  readonly #columns: UsageColumns;
  readonly #idTexts = new Map<number, string>();
  readonly #plain = new Map<number, ReceivedEvent>();
  readonly #earliest: Instant;
  readonly #latest: Instant;
  #count = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  constructor(most: number, names: EventNames, now: Instant, window: EventWindow) {
    this.#earliest = earliestOf(window, now);
    this.#latest = latestOf(window, now);
    this.#columns = {
      count: 0,
      names,
      account: new Int32Array(most),
      meter: new Int32Array(most),
      source: new Int32Array(most),
      dimensions: new Int32Array(most),
      ids: new Uint8Array(most * ID_BYTES),
      idTexts: this.#idTexts,
      quantity: new Float64Array(most),
      occurredAt: new Float64Array(most),
      partition: new Int32Array(most),
      offset: new Float64Array(most),
      plain: this.#plain,
    };
  }

  get count(): number {
    return this.#count;
  }

  /** Adds the event at `[from, end)`; false: it is not usual, and nothing is added. */
  put(bytes: Buffer, from: number, end: number, partition: number, offset: number): boolean {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
    const place = this.#count;
    const { names, account, meter, source, quantity, occurredAt, dimensions } = this.#columns;
    if (!this.#putId(place)) return false;
    const accountNumber = this.#name(names.accounts);
    const meterNumber = this.#name(names.meters);
    const amount = this.#long();
    const time = this.#long();
    const sourceNumber = this.#name(names.sources);
    const dimensionsNumber = this.#dimensions();
    const isUsual =
      (accountNumber | meterNumber | sourceNumber | dimensionsNumber) >= 0 &&
      amount >= 0 &&
      time >= this.#earliest &&
      time <= this.#latest;
    if (!isUsual) {
      this.#idTexts.delete(place);
      return false;
    }
    account[place] = accountNumber;
    meter[place] = meterNumber;
    quantity[place] = amount;
    occurredAt[place] = time;
    source[place] = sourceNumber;
    dimensions[place] = dimensionsNumber;
    this.#columns.partition[place] = partition;
    this.#columns.offset[place] = offset;
    this.#count += 1;
    return true;
  }

  /** Adds an event that is not usual, as it is. */
  putPlain(event: ReceivedEvent): void {
    const place = this.#count;
    const { names, account, partition, offset } = this.#columns;
    const id = Buffer.from(event.accountId);
    account[place] = names.accounts.numberOf(id, 0, id.length);
    partition[place] = event.partition;
    offset[place] = Number(event.offset);
    this.#plain.set(place, event);
    this.#count += 1;
  }

  finish(): UsageColumns {
    return { ...this.#columns, count: this.#count };
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

  /** All that is left of the value is the dimensions. */
  #dimensions(): number {
    if (this.#end - this.#at === 1 && this.#bytes[this.#at] === 0) return NO_DIMENSIONS;
    return this.#columns.names.dimensions.numberOf(this.#bytes, this.#at, this.#end);
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
