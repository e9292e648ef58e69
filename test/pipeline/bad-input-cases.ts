import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import type { DeadLetterReason } from "../../shared/core/usage/usage-event.ts";
import {
  long,
  text,
  type UsageFields,
  usageBytes,
  withSchemaId,
} from "../support/kafka/usage-bytes.ts";

/** Schema ids from the registry. */
export interface SchemaIds {
  readonly ours: number;
  readonly older: number;
  readonly narrower: number;
  readonly newer: number;
  readonly unrelated: number;
  readonly balanceChanged: number;
  readonly json: number;
  readonly referring: number;
}

/** The basis of a case: an account with credits, and an event that would be metered. */
export interface Given {
  readonly ids: SchemaIds;
  readonly account: string;
  readonly now: number;
  readonly good: UsageFields;
}

export interface Case {
  readonly name: string;
  /** Dead-lettered with this reason, metered at this price in micro-credits, or dropped as a repeat. */
  readonly becomes: DeadLetterReason | { readonly credits: bigint } | "a repeat";
  value(given: Given): Buffer | null;
  /** What a dead letter's detail has. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, Buffer>>;
  /** Default: the account's id. */
  readonly key?: Buffer | null;
  readonly partition?: number;
  /** An event published right before, itself metered. */
  before?(given: Given): Partial<UsageFields>;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LONE_SURROGATE = Buffer.from([0xed, 0xa0, 0x80]);
const MEBIBYTE = 1 << 20;
const pairs = (count: number) => Array.from({ length: count }, (_, i) => [`k${i}`, "v"] as const);

const ours = (wrong: Partial<UsageFields> | ((given: Given) => Partial<UsageFields>)) => ({
  value: (given: Given) => {
    const fields = typeof wrong === "function" ? wrong(given) : wrong;
    return withSchemaId(given.ids.ours, usageBytes({ ...given.good, ...fields }));
  },
});
const bytes = (make: (given: Given) => Buffer | null) => ({ value: make });
const cut = (value: Buffer, count: number) => value.subarray(0, value.length - count);
const good = (given: Given) => withSchemaId(given.ids.ours, usageBytes(given.good));

/** The record of a producer without source and dimensions. */
const beforeSource = (given: Given) =>
  cut(usageBytes({ ...given.good, source: "", dimensions: [], quantities: null }), 2);

const IDS = [["an event", "eventId"] as const, ["an account", "accountId"] as const];

const CONFLICTS: { name: string; other(now: number): Partial<UsageFields> }[] = [
  { name: "quantity", other: () => ({ quantity: 4n }) },
  { name: "meter", other: () => ({ meter: "free" }) },
  { name: "time", other: (now) => ({ occurredAt: now - 2 }) },
  { name: "dimension", other: () => ({ dimensions: [["model", "other"]] }) },
  { name: "number of dimensions", other: () => ({ dimensions: [] }) },
];

/** The meter `call` costs 1 credit a call, `dear` 2^40 micro-credits, `free` nothing; `new` has a price for an hour. */
export const CASES: readonly Case[] = [
  { name: "an empty value", becomes: "unreadable", ...bytes(() => Buffer.alloc(0)) },
  { name: "no value (a tombstone)", becomes: "unreadable", ...bytes(() => null) },
  { name: "JSON", becomes: "unreadable", ...bytes(() => Buffer.from('{"event_id":"e"}')) },
  { name: "half a header", becomes: "unreadable", ...bytes((g) => good(g).subarray(0, 3)) },
  { name: "a header alone", becomes: "unreadable", ...bytes((g) => good(g).subarray(0, 5)) },
  { name: "Avro that is cut short", becomes: "unreadable", ...bytes((g) => cut(good(g), 3)) },
  {
    name: "bytes after the record",
    becomes: "unreadable",
    ...bytes((g) => Buffer.concat([good(g), Buffer.from([0])])),
  },
  {
    name: "a string longer than the message",
    becomes: "unreadable",
    ...bytes((g) => withSchemaId(g.ids.ours, Buffer.concat([long(2n ** 40n), text("a")]))),
  },
  {
    name: "a string of negative length",
    becomes: "unreadable",
    ...bytes((g) => withSchemaId(g.ids.ours, Buffer.concat([long(-1n), text("a")]))),
  },
  {
    name: "a number of more than 64 bits",
    becomes: "unreadable",
    ...bytes((g) => withSchemaId(g.ids.ours, Buffer.alloc(40, 0xff))),
  },
  {
    name: "a megabyte of zeros",
    becomes: "unknown_schema",
    ...bytes(() => Buffer.alloc(MEBIBYTE - 2_000)),
  },
  {
    name: "a schema id that nobody registered",
    becomes: "unknown_schema",
    ...bytes((g) => withSchemaId(999_999, usageBytes(g.good))),
  },
  {
    name: "the largest schema id",
    becomes: "unknown_schema",
    ...bytes((g) => withSchemaId(0x7fff_ffff, usageBytes(g.good))),
  },
  {
    name: "a negative schema id",
    becomes: "unknown_schema",
    ...bytes((g) => withSchemaId(-1, usageBytes(g.good))),
  },
  {
    name: "another topic's record",
    becomes: "unreadable",
    ...bytes((g) => withSchemaId(g.ids.balanceChanged, usageBytes(g.good))),
  },
  {
    name: "a schema that cannot be read as usage",
    becomes: "unreadable",
    ...bytes((g) => withSchemaId(g.ids.unrelated, usageBytes(g.good))),
  },
  {
    name: "a schema that is not Avro",
    becomes: "unreadable",
    ...bytes((g) => withSchemaId(g.ids.json, usageBytes(g.good))),
  },
  {
    name: "an older schema, without source and dimensions",
    becomes: { credits: 3_000_000n },
    ...bytes((g) => withSchemaId(g.ids.older, beforeSource(g))),
  },
  {
    name: "an older schema with narrower numbers",
    becomes: { credits: 3_000_000n },
    ...bytes((g) => withSchemaId(g.ids.narrower, beforeSource(g))),
  },
  {
    name: "a newer schema with more fields",
    becomes: { credits: 3_000_000n },
    ...bytes((g) =>
      withSchemaId(
        g.ids.newer,
        Buffer.concat([usageBytes(g.good), text("eu"), long(1n), text("tag"), long(0n)]),
      ),
    ),
  },
  {
    name: "no hold that the account has",
    becomes: { credits: 3_000_000n },
    ...ours({ holdId: "x" }),
  },
  { name: "a hold without a name", becomes: "malformed", ...ours({ holdId: "" }) },
  {
    name: "a hold with bytes that are not UTF-8",
    becomes: "malformed",
    ...ours({ holdId: Buffer.from([0x61, 0xff]) }),
  },
  { name: "an endless hold", becomes: "malformed", ...ours({ holdId: "h".repeat(100_000) }) },
  { name: "an unknown account", becomes: "unknown_account", ...ours({ accountId: "nobody" }) },
  { name: "an unknown meter", becomes: "unknown_meter", ...ours({ meter: "nothing" }) },
  {
    name: "usage before its meter had a price",
    becomes: "no_price",
    ...ours(({ now }) => ({ meter: "new", occurredAt: now - 2 * HOUR })),
  },
  {
    name: "usage right after its meter got a price",
    becomes: { credits: 9_000_000n },
    ...ours(({ now }) => ({ meter: "new", occurredAt: now - HOUR })),
  },
  { name: "a negative quantity", becomes: "negative_quantity", ...ours({ quantity: -1n }) },
  {
    name: "the most negative quantity",
    becomes: "negative_quantity",
    ...ours({ quantity: -(2n ** 63n) }),
  },
  { name: "a zero quantity", becomes: { credits: 0n }, ...ours({ quantity: 0n }) },
  {
    name: "the largest quantity of what costs nothing",
    becomes: { credits: 0n },
    ...ours({ quantity: MAX_BIGINT, meter: "free" }),
  },
  {
    name: "the largest quantity, when its price fits",
    becomes: { credits: 9_223_372_036_854n },
    ...ours({ quantity: MAX_BIGINT, meter: "cheap" }),
  },
  {
    name: "a quantity whose price does not fit 64 bits",
    becomes: "overflow",
    ...ours({ quantity: MAX_BIGINT }),
  },
  {
    name: "a price that fits, on a line where it does not",
    becomes: "overflow",
    before: () => ({ eventId: "first", quantity: 2n ** 22n, meter: "dear" }),
    ...ours({ quantity: 2n ** 23n - 1n, meter: "dear" }),
  },
  {
    name: "usage too far ahead of the clock",
    becomes: "too_far_ahead",
    ...ours(({ now }) => ({ occurredAt: now + HOUR })),
  },
  {
    name: "usage a little ahead of the clock",
    becomes: { credits: 3_000_000n },
    ...ours(({ now }) => ({ occurredAt: now + 4 * 60_000 })),
  },
  {
    name: "usage too long ago",
    becomes: "too_long_ago",
    ...ours(({ now }) => ({ occurredAt: now - 36 * DAY })),
  },
  {
    name: "usage nearly too long ago",
    becomes: { credits: 3_000_000n },
    ...ours(({ now }) => ({ occurredAt: now - 34 * DAY })),
  },
  {
    name: "a schema that refers to another one",
    becomes: { credits: 3_000_000n },
    ...bytes(({ ids, good: { eventId, accountId, quantity, occurredAt } }) => {
      const call = long(1n);
      const texts = [text(eventId), text(accountId), call];
      const record = [...texts, long(quantity), long(BigInt(occurredAt))];
      return withSchemaId(ids.referring, Buffer.concat(record));
    }),
  },
  {
    name: "a schema's id in a header",
    becomes: "unreadable",
    detail: "set value.schema.id.serializer to the PrefixSchemaIdSerializer",
    headers: { __value_schema_id: Buffer.concat([Buffer.from([1]), Buffer.alloc(16, 7)]) },
    ...bytes((g) => usageBytes(g.good)),
  },
  { name: "the first instant there is", becomes: "too_long_ago", ...ours({ occurredAt: 0 }) },
  {
    name: "an instant beyond all calendars",
    becomes: "unreadable",
    ...ours({ occurredAt: MAX_BIGINT }),
  },
  {
    name: "an instant before all calendars",
    becomes: "too_long_ago",
    ...ours({ occurredAt: -(2n ** 51n) }),
  },
  { name: "no key", becomes: { credits: 3_000_000n }, key: null, ...ours({}) },
  {
    name: "the key of another account",
    becomes: { credits: 3_000_000n },
    key: Buffer.from("somebody-else"),
    ...ours({}),
  },
  {
    name: "a key that is not text",
    becomes: { credits: 3_000_000n },
    key: LONE_SURROGATE,
    ...ours({}),
  },
  {
    name: "a partition that another client's hash chose",
    becomes: { credits: 3_000_000n },
    partition: 1,
    ...ours({}),
  },
  {
    name: "the same event again",
    becomes: "a repeat",
    before: () => ({ eventId: "again" }),
    ...ours({ eventId: "again" }),
  },
  ...CONFLICTS.map(({ name, other }) => ({
    name: `the id of another event with another ${name}`,
    becomes: "conflict" as const,
    before: () => ({ eventId: "taken" }),
    ...ours(({ now }) => ({ eventId: "taken", ...other(now) })),
  })),
  {
    name: "the id of another event, from another source",
    becomes: { credits: 4_000_000n },
    before: () => ({ eventId: "taken" }),
    ...ours({ eventId: "taken", source: "other", quantity: 4n }),
  },
  ...IDS.flatMap(([of, field]) => [
    { name: `${of} id of 10,000 characters`, ...ours({ [field]: "x".repeat(10_000) }) },
    { name: `${of} id of 257 characters`, ...ours({ [field]: "x".repeat(257) }) },
    { name: `${of} id of no characters`, ...ours({ [field]: "" }) },
    { name: `${of} id with a NUL`, ...ours({ [field]: "a\0b" }) },
    { name: `${of} id with half of a surrogate pair`, ...ours({ [field]: LONE_SURROGATE }) },
    { name: `${of} id with bytes that are not UTF-8`, ...ours({ [field]: Buffer.from([0xff]) }) },
  ]).map((malformed) => ({ ...malformed, becomes: "malformed" as const })),
  {
    name: "an event id of 256 characters of four bytes",
    becomes: { credits: 3_000_000n },
    ...ours({ eventId: "𝄞".repeat(128) }),
  },
  {
    name: "an event id of quotes, backslashes, braces and line ends",
    becomes: { credits: 3_000_000n },
    ...ours({ eventId: `"'\\{},\r\n\t NULL` }),
  },
  {
    name: "the event id NULL",
    becomes: { credits: 3_000_000n },
    ...ours({ eventId: "NULL" }),
  },
  { name: "a NUL in the source", becomes: "malformed", ...ours({ source: "a\0b" }) },
  { name: "a long source", becomes: "malformed", ...ours({ source: "x".repeat(1025) }) },
  {
    name: "bytes in the source that are not UTF-8",
    becomes: { credits: 3_000_000n },
    ...ours({ source: LONE_SURROGATE }),
  },
  {
    name: "a NUL in a dimension",
    becomes: "malformed",
    ...ours({ dimensions: [["model", "a\0b"]] }),
  },
  {
    name: "a NUL in a dimension's name",
    becomes: "malformed",
    ...ours({ dimensions: [["\0", "a"]] }),
  },
  {
    name: "a dimension called __proto__",
    becomes: { credits: 3_000_000n },
    ...ours({ dimensions: [["__proto__", "a"]] }),
  },
  {
    name: "64 dimensions",
    becomes: { credits: 3_000_000n },
    ...ours({ dimensions: pairs(64) }),
  },
  { name: "65 dimensions", becomes: "malformed", ...ours({ dimensions: pairs(65) }) },
  {
    name: "a dimension of nearly a megabyte",
    becomes: "malformed",
    ...ours({ dimensions: [["blob", "x".repeat(MEBIBYTE - 2_000)]] }),
  },
];
