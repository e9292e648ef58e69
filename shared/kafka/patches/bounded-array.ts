import avro from "avsc";
import type { BoundedTap, ReadsTap } from "./bounded-tap.ts";

/**
 * An array whose items are read, and skipped, one by one, out of a BoundedTap, which ends with its bytes.
 * avsc (5.7.9) allocates as many items as are counted, and trusts a block's size to skip it: a negative
 * one moves back, over the same bytes for ever. Only the types made with our `typeHook` are of this class.
 */
export class BoundedArray extends avro.types.ArrayType {
  declare readonly itemsType: avro.Type & ReadsTap;

  _read(tap: BoundedTap): unknown[] {
    const items: unknown[] = [];
    forEachItem(tap, () => items.push(this.itemsType._read(tap)));
    return items;
  }

  _skip(tap: BoundedTap): void {
    forEachItem(tap, () => this.itemsType._skip(tap));
  }
}

function forEachItem(tap: BoundedTap, take: () => void): void {
  for (let count = itemsOfBlock(tap); count > 0; count = itemsOfBlock(tap)) {
    for (let i = 0; i < count; i += 1) {
      const before = tap.pos;
      take();
      if (tap.pos === before) tap.countEmptyItem();
    }
  }
}

/** A negative count is followed by the block's size in bytes, which its items have anyway. */
function itemsOfBlock(tap: BoundedTap): number {
  const count = tap.readLong();
  if (count < 0) tap.skipLong();
  return Math.abs(count);
}
