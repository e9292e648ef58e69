const FIRST_SLOTS = 1 << 10;
const FIRST_BYTES = 1 << 14;
/** A longer name is met too seldom to be worth its memory. */
const LONGEST = 4_096;
/** So that names made to collide cost no more time than others. */
const MOST_STEPS = 64;

/**
 * Numbers names that are met again and again, told apart by their bytes. Each is judged once: what `read`
 * makes of it, or null where it cannot be used. Its memory is bounded by whoever throws it away in time.
 */
export class NameTable<T> {
  readonly #read: (bytes: Uint8Array) => T | null;
  readonly #values: (T | null)[] = [];
  /** Numbers by hash, -1 where there is none; never more than half of them are taken. */
  #slots = new Int32Array(FIRST_SLOTS).fill(-1);
  #hashes = new Int32Array(FIRST_SLOTS / 2);
  /** Where each name ends in `bytes`; it begins where the one before ends. */
  #ends = new Int32Array(FIRST_SLOTS / 2);
  #bytes = new Uint8Array(FIRST_BYTES);

  constructor(read: (bytes: Uint8Array) => T | null) {
    this.#read = read;
  }

  get size(): number {
    return this.#values.length;
  }

  /** How many bytes its names have. */
  get length(): number {
    return this.size === 0 ? 0 : (this.#ends[this.size - 1] ?? 0);
  }

  /** The number of the name at `[from, to)`; -1: it cannot be used, or has no place here. */
  numberOf(bytes: Uint8Array, from: number, to: number): number {
    if (to - from > LONGEST) return -1;
    const hash = hashOf(bytes, from, to);
    const mask = this.#slots.length - 1;
    for (let steps = 0; steps < MOST_STEPS; steps += 1) {
      const slot = (hash + steps) & mask;
      const known = this.#slots[slot] ?? -1;
      if (known === -1) return this.#usable(this.#add(bytes.subarray(from, to), hash, slot));
      if (this.#hashes[known] === hash && this.#is(known, bytes, from, to)) {
        return this.#usable(known);
      }
    }
    return -1;
  }

  /** What `read` has made of a name. */
  valueOf(number: number): T {
    const value = this.#values[number] ?? null;
    if (value === null) throw new RangeError(`no name has the number ${number}`);
    return value;
  }

  #usable(number: number): number {
    return this.#values[number] === null ? -1 : number;
  }

  #is(number: number, bytes: Uint8Array, from: number, to: number): boolean {
    let at = number === 0 ? 0 : (this.#ends[number - 1] ?? 0);
    if ((this.#ends[number] ?? 0) - at !== to - from) return false;
    for (let i = from; i < to; i += 1, at += 1) if (this.#bytes[at] !== bytes[i]) return false;
    return true;
  }

  #add(name: Uint8Array, hash: number, slot: number): number {
    const number = this.size;
    const end = this.length + name.length;
    if (end > this.#bytes.length) this.#bytes = grown(this.#bytes, new Uint8Array(2 * end));
    this.#bytes.set(name, end - name.length);
    this.#hashes[number] = hash;
    this.#ends[number] = end;
    this.#slots[slot] = number;
    this.#values.push(this.#read(name));
    if (this.size === this.#hashes.length) this.#grow();
    return number;
  }

  #grow(): void {
    const size = 2 * this.#slots.length;
    this.#hashes = grown(this.#hashes, new Int32Array(size / 2));
    this.#ends = grown(this.#ends, new Int32Array(size / 2));
    this.#slots = new Int32Array(size).fill(-1);
    for (let number = 0; number < this.size; number += 1) {
      let slot = (this.#hashes[number] ?? 0) & (size - 1);
      while (this.#slots[slot] !== -1) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = number;
    }
  }
}

/** FNV-1a, with its bits mixed once more: its low ones alone choose the slot. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 12);
}

function grown<A extends Uint8Array | Int32Array>(before: A, after: A): A {
  after.set(before);
  return after;
}
