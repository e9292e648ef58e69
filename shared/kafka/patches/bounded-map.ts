import avro from "avsc";

/** What avsc reads from: bytes and a position. */
interface Tap {
  readonly buf: Uint8Array;
  readonly pos: number;
  readLong(): number;
  readString(): string;
  skipString(): void;
}

/** A number comes twice under a key of a map. */
export class RepeatedKey extends Error {
  readonly key: string;

  constructor(key: string) {
    super(`a map has two numbers under the key ${key}`);
    this.key = key;
  }
}

/** A key and a value take at least a byte each. */
const LEAST_BYTES = 2;

/**
 * A map that reads no more entries than its bytes can hold, under any key. avsc (5.7.9) trusts the
 * count in front of the entries, so that twenty bytes can keep it busy for ever, and loses a key named
 * `__proto__`. Only the types made with our `typeHook` are of this class: avsc itself stays as it is. Of a
 * text that comes twice under a key the last one counts; a number that does would be lost, and is refused.
 */
export class BoundedMap extends avro.types.MapType {
  _read(tap: Tap): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i += 1)
        entries.push([tap.readString(), this.valuesType._read(tap)]);
    }
    if (entries.length === 0) return {};
    const map = Object.fromEntries(entries);
    const isRepeated = Object.keys(map).length < entries.length;
    if (isRepeated && entries.some(([, value]) => isNumber(value))) {
      throw new RepeatedKey(firstRepeated(entries));
    }
    return map;
  }

  _skip(tap: Tap): void {
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i += 1) {
        tap.skipString();
        this.valuesType._skip(tap);
      }
    }
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === "bigint" || typeof value === "number";
}

function firstRepeated(entries: readonly (readonly [string, unknown])[]): string {
  const seen = new Set<string>();
  const isAgain = ([key]: readonly [string, unknown]) => seen.size === seen.add(key).size;
  return entries.find(isAgain)?.[0] ?? "";
}

/**
 * A negative count is followed by the block's size in bytes. Throws when the bytes left are too few for
 * the count.
 */
function blockCount(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.readLong();
  }
  if (count * LEAST_BYTES > tap.buf.length - tap.pos) {
    throw new Error(`a map of ${count} entries does not fit into the bytes left`);
  }
  return count;
}
