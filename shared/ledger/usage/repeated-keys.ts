import type { KeysAtPlaces } from "./identity-keys.ts";

const WORDS = 4;
/** So that keys made to collide cost no more time than others. */
const MOST_STEPS = 64;

/**
 * By place, a place before it that may have the same key: the first one that has, if any has. The keys of all
 * other places come once.
 */
export function repeatedKeys({ keys, places }: KeysAtPlaces): Map<number, number> {
  const repeated = new Map<number, number>();
  if (places.length < 2) return repeated;
  const words = new Uint32Array(keys.buffer, keys.byteOffset, keys.length / WORDS);
  const bits = Math.ceil(Math.log2(places.length)) + 1;
  const slots = new Int32Array(2 ** bits).fill(-1);
  const last = slots.length - 1;
  for (const place of places) {
    let slot = hashAt(words, place) >>> (32 - bits);
    for (let steps = 1; ; steps += 1, slot = (slot + 1) & last) {
      const before = slots[slot] ?? -1;
      if (before === -1) {
        slots[slot] = place;
        break;
      }
      if (steps === MOST_STEPS || isSameKey(words, before, place)) {
        repeated.set(place, before);
        break;
      }
    }
  }
  return repeated;
}

/** Its high bits choose the slot. */
function hashAt(words: Uint32Array, place: number): number {
  let hash = 0;
  for (let at = place * WORDS; at < (place + 1) * WORDS; at += 1) {
    hash = Math.imul(hash ^ (words[at] ?? 0), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0x85ebca6b);
}

function isSameKey(words: Uint32Array, one: number, other: number): boolean {
  const [a, b] = [one * WORDS, other * WORDS];
  for (let word = 0; word < WORDS; word += 1) if (words[a + word] !== words[b + word]) return false;
  return true;
}
