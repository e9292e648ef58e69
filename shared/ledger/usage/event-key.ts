import { hash } from "node:crypto";
import type { EventIdentity } from "../../core/usage/usage-event.ts";
import { UUID_BYTES, writeUuid } from "../postgres/uuid-bytes.ts";

/** Keys of identities, of 16 bytes each, one after the other. Different identities may have the same key. */
export type EventKeys = Uint8Array;
/** A key in hex. */
export type EventKey = string;

/** Half of a key. */
const OWNER_BYTES = 8;

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
  const owners = new Map<string, Uint8Array>();
  for (const [index, { accountId, source, eventId }] of identities.entries()) {
    const at = index * UUID_BYTES;
    putIdKey(eventId, keys, at);
    const name = `${accountId}\0${source}`;
    const owner = owners.get(name) ?? ownerDigest(accountId, source);
    owners.set(name, owner);
    mixOwner(keys, at, owner);
  }
  return keys;
}

/** Writes the key of an event id alone. */
export function putIdKey(eventId: string, keys: EventKeys, at: number): void {
  if (!writeUuid(eventId, keys, at)) writeDigest(eventId, keys, at);
}

/** What is mixed into the keys of an account's events of one source. */
export function ownerDigest(accountId: string, source: string): Uint8Array {
  const digest = hash("sha256", `${accountId}\0${source}`, "buffer");
  return Uint8Array.from(digest.subarray(0, OWNER_BYTES));
}

/** Mixes the owner's digest into the key at `at`. */
export function mixOwner(keys: EventKeys, at: number, owner: Uint8Array): void {
  for (let index = 0; index < OWNER_BYTES; index += 1) {
    const byte = at + UUID_BYTES - OWNER_BYTES + index;
    keys[byte] = (keys[byte] ?? 0) ^ (owner[index] ?? 0);
  }
}

/** The key at a place, in hex. */
export function keyAt(keys: EventKeys, place: number): EventKey {
  const from = place * UUID_BYTES;
  return Buffer.from(keys.buffer, keys.byteOffset + from, UUID_BYTES).toString("hex");
}

/** The least and the greatest key that an event id can have, whatever its account and source. */
export function keyRange(eventId: string): { readonly least: EventKey; readonly most: EventKey } {
  const id = new Uint8Array(UUID_BYTES);
  putIdKey(eventId, id, 0);
  const digits = 2 * OWNER_BYTES;
  const first = keyAt(id, 0).slice(0, digits);
  return { least: first + "0".repeat(digits), most: first + "f".repeat(digits) };
}

/** Up to the year 2248 UUIDs of version 7, which begin with their time, are below this. */
const BEYOND_TIME = 2;
const VERSION_BYTE = 6;

/** True for the key of an id that grows with time. */
export function growsWithTime(keys: EventKeys, place: number): boolean {
  const at = place * UUID_BYTES;
  return (keys[at] ?? 0) < BEYOND_TIME && (keys[at + VERSION_BYTE] ?? 0) >> 4 === 7;
}

/** True if the key at a place is above another. */
export function isAbove(keys: EventKeys, place: number, other: EventKey): boolean {
  return keyAt(keys, place) > other;
}

/** All of an identity in a digest that no other has. */
export function identityDigest({ accountId, source, eventId }: EventIdentity): string {
  return hash("sha256", `${accountId}\0${source}\0${eventId}`);
}

/** Marked as a UUID of version 8 is, so that it is not taken for one that begins with a time. */
function writeDigest(eventId: string, keys: EventKeys, at: number): void {
  const digest = hash("sha256", eventId, "buffer");
  keys.set(digest.subarray(0, UUID_BYTES), at);
  keys[at + VERSION_BYTE] = 0x80 | ((digest[VERSION_BYTE] ?? 0) & 0x0f);
}
