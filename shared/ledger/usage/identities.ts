import type { Instant } from "../../core/line/account.ts";
import { queryRow, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { type EventKey, growsWithTime, isAbove } from "./event-key.ts";
import { type KeysAtPlaces, keysIn, placesOf } from "./identity-keys.ts";

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
