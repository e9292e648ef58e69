import type { Instant } from "../../core/line/account.ts";
import type { EventIdentity } from "../../core/usage/usage-event.ts";
import { queryRow, queryRows, type Transaction } from "../postgres/database.ts";
import { insertRows } from "../postgres/insert-rows.ts";
import { UUID_BYTES } from "../postgres/uuid-bytes.ts";
import {
  type EventKey,
  type EventKeys,
  eventKeys,
  growsWithTime,
  identityDigest,
  keyAt,
  keyTexts,
} from "./event-key.ts";
import type { Page } from "./pages.ts";

/** The generations of identities, as a transaction finds them. They do not change until it ends. */
export interface Generations {
  /** The table that is written to. */
  readonly current: 1 | 2;
  /** The highest key in the other table of an id that grows with time; null: none. */
  readonly highest: EventKey | null;
  readonly hasOlder: boolean;
  readonly hasClashes: boolean;
}

// Whoever begins a generation locks the table, and so waits for those who have read it.
const READ = `
  SELECT current, replace(highest::text, '-', '') AS highest, sealed_since IS NOT NULL AS "hasOlder",
         EXISTS (SELECT FROM usage_identity_clash) AS "hasClashes"
  FROM usage_generation`;

/** Reads which identities are where, for the rest of the transaction. */
export async function readGenerations(transaction: Transaction): Promise<Generations> {
  const generations = await queryRow<Generations>(transaction, READ, [], "read-generations");
  if (generations === null) throw new Error("the row of usage_generation is gone");
  return generations;
}

/**
 * True if one of the events may have been metered before without the unique key showing it: its key is in
 * the older generation, or keys have clashed.
 */
export async function needsLookUp(
  transaction: Transaction,
  { current, highest, hasOlder, hasClashes }: Generations,
  events: readonly EventIdentity[],
): Promise<boolean> {
  if (hasClashes) return true;
  if (!hasOlder) return false;
  const toFind = keyTexts(eventKeys(events)).filter(
    (key) => !(growsWithTime(key) && (highest === null || key > highest)),
  );
  return (await keysIn(transaction, `usage_identity_${current === 1 ? 2 : 1}`, toFind)).size > 0;
}

/** True for the name of a table of identities. */
export function isIdentities(table: string | null): boolean {
  return table?.startsWith("usage_identity_") ?? false;
}

/** An event that is metered, with where its page begins. */
interface Identified extends EventIdentity {
  readonly start: bigint;
  readonly version: bigint;
}

/** The identities of a page's events. */
export function identitiesOn({ usage, start, version }: Page): Identified[] {
  return usage.map(({ event: { accountId, source, eventId } }) => {
    return { accountId, source, eventId, start, version };
  });
}

/**
 * Writes the identities of metered events. A key that exists fails the transaction with a unique
 * violation. With `lookedUp`, the events are known not to be metered: a key that exists is another's, and
 * the event gets a place of its own.
 */
export async function writeIdentities(
  transaction: Transaction,
  generations: Generations,
  events: readonly Identified[],
  { lookedUp, meteredAt }: { readonly lookedUp: boolean; readonly meteredAt: Instant },
): Promise<void> {
  const keys = eventKeys(events);
  const clashing = lookedUp ? await clashesAmong(transaction, keys) : NONE;
  const places = Array.from(events.keys());
  const fresh = clashing.size === 0 ? places : places.filter((place) => !clashing.has(place));
  const table = `usage_identity_${generations.current}`;
  await insertRows(
    transaction,
    { table, columns: "event_key, start_position, version" },
    inKeyOrder(fresh, keys),
    (rows, place) => {
      rows.uuidBytes(keys, place * UUID_BYTES);
      rows.int8(events[place]?.start ?? 0n);
      rows.int8(events[place]?.version ?? 0n);
    },
  );
  const apart = events.filter((_, place) => clashing.has(place));
  if (apart.length > 0) await writeClashes(transaction, apart, meteredAt);
}

/** In the order of the index, neighbours are on one page of it. Ids that grow with time are so mostly already. */
function inKeyOrder(places: number[], keys: EventKeys): number[] {
  const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
  const high = new Float64Array(keys.length / UUID_BYTES);
  for (const place of places) {
    const at = place * UUID_BYTES;
    // As much of a key as a double holds exactly.
    high[place] = view.getUint32(at) * 2 ** 20 + (view.getUint32(at + 4) >>> 12);
  }
  return places.sort((a, b) => (high[a] ?? 0) - (high[b] ?? 0));
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
async function clashesAmong(transaction: Transaction, keys: EventKeys): Promise<Set<number>> {
  const texts = keyTexts(keys);
  const taken = await keysIn(transaction, "usage_identity_1", texts);
  for (const key of await keysIn(transaction, "usage_identity_2", texts)) taken.add(key);
  const clashing = new Set<number>();
  for (const [place, key] of texts.entries()) {
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
  events: readonly Identified[],
  meteredAt: Instant,
): Promise<void> {
  await transaction.query(WRITE_CLASHES, [
    events.map(identityDigest),
    events.map(({ accountId }) => accountId),
    events.map(({ start }) => start),
    events.map(({ version }) => version),
    meteredAt,
  ]);
}

async function keysIn(
  transaction: Transaction,
  table: string,
  keys: readonly EventKey[],
): Promise<Set<EventKey>> {
  if (keys.length === 0) return new Set();
  const rows = await queryRows<{ key: EventKey }>(
    transaction,
    `SELECT replace(event_key::text, '-', '') AS key
     FROM unnest($1::uuid[]) AS named (event_key) JOIN ${table} USING (event_key)`,
    [`{${keys.join(",")}}`],
    `keys-in-${table}`,
  );
  return new Set(rows.map(({ key }) => key));
}

/** The keys of these events, as `unnest($1::uuid[])` takes them. */
export function namedKeys(events: readonly EventIdentity[]): string {
  return `{${keyTexts(eventKeys(events)).join(",")}}`;
}

/** The digests of their identities in hex, as `unnest($1::text[])` takes them. */
export function namedDigests(events: readonly EventIdentity[]): string {
  return `{${events.map(identityDigest).join(",")}}`;
}
