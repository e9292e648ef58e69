import { hash } from "node:crypto";
import type { EventIdentity } from "../../core/usage/usage-event.ts";

/** 128 bits in hex: the key under which an identity is unique. Different identities may share one. */
export type EventKey = string;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HALF = 16;

/** True for an id that is a UUID in small letters, so that its 16 bytes stand for it. */
export function isUuid(eventId: string): boolean {
  return eventId.length === 36 && UUID.test(eventId);
}

/**
 * Makes keys of identities. The first half is of the event id alone: of a UUID its own, which keeps the
 * index warm where ids grow with time, of another text its digest's. The second half has account and
 * source mixed in.
 */
export function eventKeys(): (identity: EventIdentity) => EventKey {
  const owners = new Map<string, bigint>();
  return ({ accountId, source, eventId }) => {
    const id = idDigits(eventId);
    const name = `${accountId}\0${source}`;
    const owner = owners.get(name) ?? ownerBits(name);
    owners.set(name, owner);
    const mixed = BigInt(`0x${id.slice(HALF)}`) ^ owner;
    return id.slice(0, HALF) + mixed.toString(16).padStart(HALF, "0");
  };
}

/** The least and the greatest key that an event id can have, whatever its account and source. */
export function keyRange(eventId: string): { readonly least: EventKey; readonly most: EventKey } {
  const first = idDigits(eventId).slice(0, HALF);
  return { least: first + "0".repeat(HALF), most: first + "f".repeat(HALF) };
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

function idDigits(eventId: string): string {
  if (isUuid(eventId)) return eventId.replaceAll("-", "");
  const digest = hash("sha256", eventId);
  // Marked as a UUID of version 8 is, so that it is not taken for one that begins with a time.
  return `${digest.slice(0, VERSION_AT)}8${digest.slice(VERSION_AT + 1, 2 * HALF)}`;
}

function ownerBits(accountAndSource: string): bigint {
  return BigInt(`0x${hash("sha256", accountAndSource).slice(0, HALF)}`);
}
