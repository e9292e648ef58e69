import { ByteReader } from "./byte-reader.ts";
import type { RecordTable } from "./record-table.ts";

/** Finds headers of one name where they are in records, without an object for each of these. */
export class HeaderFinder {
  /** Where the value that was found last lies in its table's `bytes`. */
  from = -1;
  end = -1;
  readonly #name: Buffer;
  #reader = new ByteReader(Buffer.alloc(0));

  constructor(name: string) {
    this.#name = Buffer.from(name);
  }

  /** Finds the value of a record's header; false: it has no such header, or several, or one without a value. */
  find({ bytes, valueEnd }: RecordTable, index: number): boolean {
    const at = valueEnd[index] ?? -1;
    if (at < 0 || bytes[at] === NO_HEADERS) return false;
    if (this.#reader.bytes !== bytes) this.#reader = new ByteReader(bytes);
    const reader = this.#reader;
    reader.at = at;
    let found = 0;
    for (let left = reader.varint(); left > 0; left -= 1) {
      const nameLength = reader.skipVarbytes();
      const isFound = this.#isName(bytes, reader.at, nameLength);
      const valueLength = reader.skipVarbytes();
      if (!isFound) continue;
      found += 1;
      this.end = reader.at;
      this.from = valueLength < 0 ? -1 : reader.at - valueLength;
    }
    return found === 1 && this.from >= 0;
  }

  #isName(bytes: Buffer, end: number, length: number): boolean {
    const name = this.#name;
    return (
      length === name.length && bytes.compare(name, 0, name.length, end - name.length, end) === 0
    );
  }
}

/** How a record begins its headers that has none. */
const NO_HEADERS = 0;
