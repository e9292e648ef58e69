import type { Instant } from "../../core/line/account.ts";
import type { EventIdentity } from "../../core/usage/usage-event.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";
import { together } from "../postgres/together.ts";
import { UUID_BYTES, uuidsParameter } from "../postgres/uuid-bytes.ts";
import {
  type EventKey,
  type EventKeys,
  eventKeys,
  growsWithTime,
  identityDigest,
  isAbove,
  keyAt,
} from "./event-key.ts";
import { goesOn, type Page } from "./pages.ts";

/** The keys of some events: those at the places. */
export interface KeysAtPlaces {
  readonly keys: EventKeys;
  readonly places: ArrayLike<number> & Iterable<number>;
}

/** The generations of identities, as a transaction finds them. They do not change until it ends. */
export interface Generations {
  /** The table that is written to. */
  readonly current: 1 | 2;
  /** The highest key in the other table of an id that grows with time; null: none. */
  readonly highest: EventKey | null;
  readonly hasOlder: boolean;
  readonly hasClashes: boolean;
  /** All that was metered since then has its identity; null: all that ever was. */
  readonly completeSince: Instant | null;
}

// Whoever begins a generation locks the table, and so waits for those who have read it.
const READ = `
  SELECT current, replace(highest::text, '-', '') AS highest, sealed_since IS NOT NULL AS "hasOlder",
         EXISTS (SELECT FROM usage_identity_clash) AS "hasClashes", complete_since AS "completeSince"
  FROM usage_generation`;

/** Reads which identities are where, for the rest of the transaction. */
export async function readGenerations(transaction: Transaction): Promise<Generations> {
  const generations = await queryRow<Generations>(transaction, READ, [], "read-generations");
  if (generations === null) throw new Error("the row of usage_generation is gone");
  return generations;
}

/**
 * The places of events that may have been metered before: their key is in the older generation, with `lookUp` also
 * those whose key is in the current one, where the unique key would show it. All, if keys have clashed.
 */
export async function placesKnown(
  transaction: Transaction,
  { current, highest, hasOlder, hasClashes }: Generations,
  { keys, places }: KeysAtPlaces,
  lookUp: boolean,
): Promise<readonly number[]> {
  const all = Array.from(places);
  if (hasClashes) return all;
  const isNewer = (place: number) =>
    growsWithTime(keys, place) && (highest === null || isAbove(keys, place, highest));
  const old = hasOlder ? all.filter((place) => !isNewer(place)) : [];
  const older = `usage_identity_${current === 1 ? 2 : 1}`;
  const [known, knownBefore] = await together([
    keysIn(transaction, `usage_identity_${current}`, { keys, places: lookUp ? all : [] }),
    keysIn(transaction, older, { keys, places: old }),
  ]);
  return placesOf(new Set([...known, ...knownBefore]), { keys, places: all });
}

/** True for the name of a table of identities. */
export function isIdentities(table: string | null): boolean {
  return table?.startsWith("usage_identity_") ?? false;
}

/** An event that is metered, with where its page begins. */
export interface Identified extends EventIdentity {
  readonly start: bigint;
  readonly version: bigint;
}

/** The identities of a page's events. */
export function identitiesOn({ usage, start, version }: Page): Identified[] {
  return usage.flatMap((one, index) => {
    if (goesOn(one, usage[index - 1])) return [];
    const { accountId, source, eventId } = one.event;
    return [{ accountId, source, eventId, start, version }];
  });
}

/** Identities of metered events to write: those at `places`. */
export interface NewIdentities extends KeysAtPlaces {
  /** By place: where the page of the event begins. */
  readonly starts: ArrayLike<bigint | number>;
  readonly versions: ArrayLike<bigint | number>;
  identityAt(place: number): EventIdentity;
}

/** The identities of these events, at the places from 0 on. */
export function newIdentities(events: readonly Identified[]): NewIdentities {
  return {
    keys: eventKeys(events),
    places: Array.from(events.keys()),
    starts: events.map(({ start }) => start),
    versions: events.map(({ version }) => version),
    identityAt(place) {
      const event = events[place];
      if (event === undefined) throw new RangeError(`no event at ${place}`);
      return event;
    },
  };
}

/**
 * Writes the identities of metered events. A key that exists fails the transaction with a unique
 * violation. With `mayClash`, the events are known not to be metered: a key that exists is another's, and
 * the event gets a place of its own.
 */
export async function writeIdentities(
  transaction: Transaction,
  generations: Pick<Generations, "current">,
  identities: NewIdentities,
  { mayClash, meteredAt }: { readonly mayClash: boolean; readonly meteredAt: Instant },
): Promise<void> {
  const { keys, starts, versions } = identities;
  const places = inKeyOrder(identities);
  const clashing = mayClash ? await clashesAmong(transaction, keys, places) : NONE;
  const fresh = clashing.size === 0 ? places : places.filter((place) => !clashing.has(place));
  const table = `usage_identity_${generations.current}`;
  await insertRows(
    transaction,
    { table, columns: "event_key, start_position, version" },
    fresh,
    (rows, place) => {
      rows.uuidBytes(keys, place * UUID_BYTES);
      rows.int8(starts[place] ?? 0);
      rows.int8(versions[place] ?? 0);
    },
  );
  if (clashing.size > 0) await writeClashes(transaction, identities, [...clashing], meteredAt);
}

/**
 * In the order of the index, where neighbours are on one page of it. The number that says whose a key is
 * leaves fewer bits for the key itself: enough for those of one time, and to bring random ones near.
 */
function inKeyOrder({ keys, places }: KeysAtPlaces): number[] {
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

const REPLACE_CLASH = `
  UPDATE usage_identity_clash SET start_position = $2, version = $3 WHERE identity = decode($1, 'hex')`;

const REPLACE = (table: string) => `
  UPDATE ${table} SET start_position = $2, version = $3 WHERE event_key = $1`;

const ADD = (table: string) => `
  INSERT INTO ${table} (event_key, start_position, version) VALUES ($1, $2, $3)`;

/** Has the identity of an event name the page on which its record is restored; a lost one is added. */
export async function restoreIdentity(transaction: Transaction, event: Identified): Promise<void> {
  const page = [event.start, event.version];
  const isDone = async (text: string, key: string) =>
    (await transaction.query(text, [key, ...page])).rowCount !== 0;
  // The key of one that clashes is another's.
  if (await isDone(REPLACE_CLASH, identityDigest(event))) return;
  const key = keyAt(eventKeys([event]), 0);
  if (await isDone(REPLACE("usage_identity_1"), key)) return;
  if (await isDone(REPLACE("usage_identity_2"), key)) return;
  const { current } = await readGenerations(transaction);
  await isDone(ADD(`usage_identity_${current}`), key);
}

const NONE: ReadonlySet<number> = new Set();

/** The places whose key another identity has, in the books or before them among these. */
async function clashesAmong(
  transaction: Transaction,
  keys: EventKeys,
  places: readonly number[],
): Promise<Set<number>> {
  const taken = await keysIn(transaction, "usage_identity_1", { keys, places });
  for (const key of await keysIn(transaction, "usage_identity_2", { keys, places })) taken.add(key);
  const clashing = new Set<number>();
  for (const place of places) {
    const key = keyAt(keys, place);
    if (taken.has(key)) clashing.add(place);
    else taken.add(key);
  }
  return clashing;
}

const WRITE_CLASHES = `
  INSERT INTO usage_identity_clash (identity, account_id, start_position, version, metered_at)
  SELECT decode(identity, 'hex'), account_id, start_position, version, to_timestamp($5 / 1000.0)
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
    AS clashing (identity, account_id, start_position, version)`;

async function writeClashes(
  transaction: Transaction,
  { starts, versions, identityAt }: NewIdentities,
  clashing: readonly number[],
  meteredAt: Instant,
): Promise<void> {
  const events = clashing.map(identityAt);
  await transaction.query(WRITE_CLASHES, [
    events.map(identityDigest),
    events.map(({ accountId }) => accountId),
    clashing.map((place) => starts[place]),
    clashing.map((place) => versions[place]),
    meteredAt,
  ]);
}

// Postgres sorts the keys and walks along the index. An array that it sees as a constant it would compare with its
// statistics, key by key.
const KEYS_IN = (table: string) => `
  SELECT replace(event_key::text, '-', '') AS key
  FROM ${table}
  WHERE event_key = ANY ((SELECT $1::uuid[])::uuid[])`;

/** The keys at the places that are in a table of identities. */
async function keysIn(
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
function placesOf(
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
