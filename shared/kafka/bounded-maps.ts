import avro from "avsc";

/** What avsc reads from: bytes and a place in them. */
interface Tap {
  readonly buf: Uint8Array;
  pos: number;
  readLong(): number;
  readString(): string;
  skipString(): void;
}

interface MapType {
  readonly valuesType: { _read(tap: Tap): unknown; _skip(tap: Tap): void };
}

/** Installed once by the module that makes the types. */
interface MapPrototype {
  _read(this: MapType, tap: Tap): Record<string, unknown>;
  _skip(this: MapType, tap: Tap): void;
}

/** A key and a value take at least a byte each. */
const LEAST_BYTES = 2;

/**
 * avsc believes the count in front of a map's entries and loops that often, so that twenty bytes can
 * keep it busy for ever; and a key named __proto__ is lost. Both are mended for every map.
 */
export function boundMaps(): void {
  const prototype: MapPrototype = avro.types.MapType.prototype as never;
  prototype._read = function (tap) {
    const entries: [string, unknown][] = [];
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i += 1)
        entries.push([tap.readString(), this.valuesType._read(tap)]);
    }
    return entries.length === 0 ? {} : Object.fromEntries(entries);
  };
  prototype._skip = function (tap) {
    for (let count = blockCount(tap); count > 0; count = blockCount(tap)) {
      for (let i = 0; i < count; i += 1) {
        tap.skipString();
        this.valuesType._skip(tap);
      }
    }
  };
}

/** A negative count is followed by the block's size in bytes. Throws when so many entries cannot be there. */
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
