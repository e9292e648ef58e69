import type { Instant } from "../../core/line/account.ts";
import type { EventIdentity } from "../../core/usage/usage-event.ts";
import type { Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";
import { UUID_BYTES } from "../postgres/uuid-bytes.ts";
import { type EventKeys, eventKeys, identityDigest, keyAt } from "./event-key.ts";
import { type Generations, readGenerations } from "./identities.ts";
import { inKeyOrder, type KeysAtPlaces, keysIn } from "./identity-keys.ts";
import { goesOn, type Page } from "./pages.ts";

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
