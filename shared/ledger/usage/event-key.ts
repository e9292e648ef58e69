import { hash } from "node:crypto";
import type { EventIdentity } from "../../core/usage/usage-event.ts";
import { UUID_BYTES, writeUuid } from "../postgres/uuid-bytes.ts";

/** Keys of identities, of 16 bytes each, one after the other. Different identities may have the same key. */
export type EventKeys = Uint8Array;
/** A key in hex. */
export type EventKey = string;

const HALF = 8;

const scratch = new Uint8Array(UUID_BYTES);

/** True for an id that is a UUID in small letters, so that its 16 bytes stand for it. */
export function isUuid(eventId: string): boolean {
  return writeUuid(eventId, scratch, 0);
}

/**
 * The keys of identities. The first half is of the event id alone: of a UUID its own, which keeps the index
 * warm where ids grow with time, of another text its digest's. The second half has account and source mixed
 * in.
 */
export function eventKeys(identities: readonly EventIdentity[]): EventKeys {
  const keys = new Uint8Array(identities.length * UUID_BYTES);
  const ownerOf = ownerDigests();
  let at = 0;
  for (const { accountId, source, eventId } of identities) {
    if (!writeUuid(eventId, keys, at)) writeDigest(eventId, keys, at);
    const owner = ownerOf(accountId, source);
    for (let index = 0; index < HALF; index += 1) {
      keys[at + HALF + index] = (keys[at + HALF + index] ?? 0) ^ (owner[index] ?? 0);
    }
    at += UUID_BYTES;
  }
  return keys;
}

/** The key at a place, in hex. */
export function keyAt(keys: EventKeys, place: number): EventKey {
  const from = place * UUID_BYTES;
  return Buffer.from(keys.buffer, keys.byteOffset + from, UUID_BYTES).toString("hex");
}

/** All keys, in hex. */
export function keyTexts(keys: EventKeys): EventKey[] {
  return Array.from({ length: keys.length / UUID_BYTES }, (_, place) => keyAt(keys, place));
}

/** The least and the greatest key that an event id can have, whatever its account and source. */
export function keyRange(eventId: string): { readonly least: EventKey; readonly most: EventKey } {
  const id = new Uint8Array(UUID_BYTES);
  if (!writeUuid(eventId, id, 0)) writeDigest(eventId, id, 0);
  const first = keyAt(id, 0).slice(0, 2 * HALF);
  return { least: first + "0".repeat(2 * HALF), most: first + "f".repeat(2 * HALF) };
}

/** Up to the year 2248 UUIDs of version 7, which begin with their time, are below this. */
const BEYOND_TIME = "02";
const VERSION_AT = 12;

/** True for keys of ids that grow with time. */
export function growsWithTime(key: EventKey): boolean {
  return key < BEYOND_TIME && key[VERSION_AT] === "7";
}

/** All of an identity in a digest that no other has. */
export function identityDigest({ accountId, source, eventId }: EventIdentity): string {
  return hash("sha256", `${accountId}\0${source}\0${eventId}`);
}

/** Marked as a UUID of version 8 is, so that it is not taken for one that begins with a time. */
function writeDigest(eventId: string, keys: EventKeys, at: number): void {
  const digest = hash("sha256", eventId, "buffer");
  keys.set(digest.subarray(0, UUID_BYTES), at);
  keys[at + VERSION_AT / 2] = 0x80 | ((digest[VERSION_AT / 2] ?? 0) & 0x0f);
}

function ownerDigests(): (accountId: string, source: string) => Uint8Array {
  const bySource = new Map<string, Map<string, Uint8Array>>();
  return (accountId, source) => {
    let owners = bySource.get(source);
    if (owners === undefined) {
      owners = new Map();
      bySource.set(source, owners);
    }
    let owner = owners.get(accountId);
    if (owner === undefined) {
      owner = hash("sha256", `${accountId}\0${source}`, "buffer").subarray(0, HALF);
      owners.set(accountId, owner);
    }
    return owner;
  };
}
