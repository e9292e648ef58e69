import type { EventNames, UsageColumns } from "../../core/usage/usage-columns.ts";
import { UUID_BYTES } from "../postgres/uuid-bytes.ts";
import {
  type EventKeys,
  eventKeys,
  mixOwner,
  OWNER_BYTES,
  ownerDigest,
  putIdKey,
} from "./event-key.ts";

/** The keys of the identities of events, by place. */
export function columnKeys(columns: UsageColumns): EventKeys {
  const { count, ids, idTexts, plain, names, account, source } = columns;
  const keys = new Uint8Array(count * UUID_BYTES);
  keys.set(ids.subarray(0, keys.length));
  for (const [place, text] of idTexts) putIdKey(text, keys, place * UUID_BYTES);
  const owners = ownersOf(names);
  for (let place = 0; place < count; place += 1) {
    if (plain.size > 0 && plain.has(place)) continue;
    const from = owners.of(account[place] ?? -1, source[place] ?? -1);
    mixOwner(keys, place * UUID_BYTES, owners.digests, from);
  }
  for (const [place, event] of plain) keys.set(eventKeys([event]), place * UUID_BYTES);
  return keys;
}

/** Of one batch more may be added. */
const MOST_OWNERS = 200_000;
/** Above any number of a name. */
const SOURCES = 2 ** 22;

const kept = new WeakMap<EventNames, Owners>();

/** Digests are kept as long as the names that they are of. */
function ownersOf(names: EventNames): Owners {
  const known = kept.get(names);
  if (known !== undefined && known.size <= MOST_OWNERS) return known;
  const owners = new Owners(names);
  kept.set(names, owners);
  return owners;
}

/** The digests of accounts with their sources. */
class Owners {
  digests = new Uint8Array(1 << 10);
  readonly #names: EventNames;
  readonly #places = new Map<number, number>();

  constructor(names: EventNames) {
    this.#names = names;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Where the digest of an account and a source is in `digests`. */
  of(account: number, source: number): number {
    const owner = account * SOURCES + source;
    const known = this.#places.get(owner);
    if (known !== undefined) return known;
    const at = this.size * OWNER_BYTES;
    if (at === this.digests.length) {
      const grown = new Uint8Array(2 * at);
      grown.set(this.digests);
      this.digests = grown;
    }
    const { accounts, sources } = this.#names;
    this.digests.set(ownerDigest(accounts.valueOf(account), sources.valueOf(source)), at);
    this.#places.set(owner, at);
    return at;
  }
}
