import { NameTable } from "../../core/usage/name-table.ts";
import type { EventNames, UsageColumns } from "../../core/usage/usage-columns.ts";
import { UUID_BYTES } from "../postgres/uuid-bytes.ts";
import { type EventKeys, eventKeys, mixOwner, ownerDigest, putIdKey } from "./event-key.ts";

/** The keys of the identities of events, by the places of their first lines. */
export function columnKeys(columns: UsageColumns): EventKeys {
  const { count, ids, idTexts, plain, names, account, source, goesOn } = columns;
  const keys = new Uint8Array(count * UUID_BYTES);
  keys.set(ids.subarray(0, keys.length));
  for (const [place, text] of idTexts) putIdKey(text, keys, place * UUID_BYTES);
  const owners = ownersOf(names);
  for (let place = 0; place < count; place += 1) {
    if (goesOn[place] === 1 || (plain.size > 0 && plain.has(place))) continue;
    const owner = owners.digestOf(account[place] ?? -1, source[place] ?? -1);
    mixOwner(keys, place * UUID_BYTES, owner);
  }
  for (const [place, event] of plain) keys.set(eventKeys([event]), place * UUID_BYTES);
  return keys;
}

/** Of one batch more may be added. */
const MOST_OWNERS = 200_000;

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
  readonly #names: EventNames;
  /** An owner's name is the two numbers. */
  readonly #known: NameTable<Uint8Array>;
  readonly #name = new Uint8Array(8);
  readonly #numbers = new Int32Array(this.#name.buffer);

  constructor(names: EventNames) {
    this.#names = names;
    this.#known = new NameTable(() => this.#digest());
  }

  get size(): number {
    return this.#known.size;
  }

  digestOf(account: number, source: number): Uint8Array {
    this.#numbers[0] = account;
    this.#numbers[1] = source;
    const owner = this.#known.numberOf(this.#name, 0, this.#name.length);
    return owner === -1 ? this.#digest() : this.#known.valueOf(owner);
  }

  #digest(): Uint8Array {
    const { accounts, sources } = this.#names;
    const [account = -1, source = -1] = this.#numbers;
    return ownerDigest(accounts.valueOf(account), sources.valueOf(source));
  }
}
