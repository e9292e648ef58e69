import type { EventIdentity } from "../../core/usage/usage-event.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { UUID_BYTES, uuidsParameter } from "../postgres/uuid-bytes.ts";
import { type EventKey, type EventKeys, eventKeys, identityDigest, keyAt } from "./event-key.ts";

/** The keys of some events: those at the places. */
export interface KeysAtPlaces {
  readonly keys: EventKeys;
  readonly places: ArrayLike<number> & Iterable<number>;
}

// Postgres sorts the keys and walks along the index. An array that it sees as a constant it would compare with its
// statistics, key by key.
const KEYS_IN = (table: string) => `
  SELECT replace(event_key::text, '-', '') AS key
  FROM ${table}
  WHERE event_key = ANY ((SELECT $1::uuid[])::uuid[])`;

/** The keys at the places that are in a table of identities. */
export async function keysIn(
  transaction: Transaction,
  table: string,
  { keys, places }: KeysAtPlaces,
): Promise<Set<EventKey>> {
  if (places.length === 0) return new Set();
  const toFind = uuidsParameter(keys, inKeyOrder({ keys, places }));
  const rows = await queryRows<{ key: EventKey }>(
    transaction,
    KEYS_IN(table),
    [toFind],
    `keys-in-${table}`,
  );
  return new Set(rows.map(({ key }) => key));
}

/** The places of keys. Few are asked for, so most are told by a number, which costs less than a text. */
export function placesOf(
  asked: ReadonlySet<EventKey>,
  { keys, places }: { readonly keys: EventKeys; readonly places: readonly number[] },
): number[] {
  if (asked.size === 0) return [];
  const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
  const ends = new Set(Array.from(asked, (key) => Number.parseInt(key.slice(-8), 16)));
  return places.filter(
    (place) =>
      ends.has(view.getUint32((place + 1) * UUID_BYTES - 4)) && asked.has(keyAt(keys, place)),
  );
}

/** The keys of these events, as `unnest($1::uuid[])` takes them. */
export function namedKeys(events: readonly EventIdentity[]): string {
  return `{${textsOf(eventKeys(events), Array.from(events.keys())).join(",")}}`;
}

function textsOf(keys: EventKeys, places: readonly number[]): EventKey[] {
  return places.map((place) => keyAt(keys, place));
}

/** The digests of their identities in hex, as `unnest($1::text[])` takes them. */
export function namedDigests(events: readonly EventIdentity[]): string {
  return `{${events.map(identityDigest).join(",")}}`;
}

/**
 * In the order of the index, where neighbours are on one page of it. The number that says whose a key is
 * leaves fewer bits for the key itself: enough for those of one time, and to bring random ones near.
 */
export function inKeyOrder({ keys, places }: KeysAtPlaces): number[] {
  const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
  const count = places.length;
  const order = new Float64Array(count);
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let number = 0; number < count; number += 1) {
    const at = (places[number] ?? 0) * UUID_BYTES;
    const high = view.getUint32(at) * 2 ** 20 + (view.getUint32(at + 4) >>> 12);
    order[number] = high;
    least = Math.min(least, high);
    most = Math.max(most, high);
  }
  const numbers = 2 ** Math.ceil(Math.log2(count));
  const bits = Math.ceil(Math.log2(most - least + 1)) + Math.log2(numbers);
  const scale = 2 ** Math.max(0, bits - 53);
  for (let number = 0; number < count; number += 1) {
    order[number] = Math.floor(((order[number] ?? 0) - least) / scale) * numbers + number;
  }
  order.sort();
  return Array.from({ length: count }, (_, index) => places[(order[index] ?? 0) % numbers] ?? 0);
}
