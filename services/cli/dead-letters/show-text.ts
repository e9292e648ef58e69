import { z } from "zod";
import { deadLetterFields, toDeadLetter } from "../../../shared/contract/dead-letter.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { valuesByName } from "../../../shared/contract/values-by-name.ts";
import { count, credits, instant } from "../../../shared/contract/wire.ts";
import type { Instant } from "../../../shared/core/line/account.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import { linesOf } from "../../../shared/core/usage/event-lines.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import type { KeptDeadLetter } from "../../../shared/ledger/dead-letters/read.ts";
import type { UsageRecord } from "../../../shared/ledger/usage/explain.ts";
import { fields } from "../shell/print.ts";
import { dumpBytes } from "./dump-bytes.ts";
import { cut } from "./list.ts";

export interface ShownLetter {
  readonly letter: KeptDeadLetter;
  /** The event in it, or why it cannot be read. */
  readonly event: UsageEvent | string;
  /** The usage that was metered under the event's identity; null: none. */
  readonly record: UsageRecord | null;
}

export const shownLetter = noun({
  ...deadLetterFields,
  meter: z.string().nullable(),
  occurred_at: instant.nullable(),
  published_at: instant.nullable(),
  retry_asked_at: instant.nullable(),
  retry_asked_by: z.string().nullable(),
  retried_at: instant.nullable(),
  retry_refused: z.string().nullable(),
  dismissed_at: instant.nullable(),
  dismissed_by: z.string().nullable(),
  dismissed_reason: z.string().nullable(),
  key_base64: z.string().nullable(),
  payload_base64: z.string(),
  payload_size: z.number().int().nullable(),
  payload_sha256: z.string().nullable(),
  event: noun({
    event_id: z.string(),
    account_id: z.string(),
    meter: z.string(),
    quantity: count,
    occurred_at: instant.nullable(),
    source: z.string(),
    dimensions: valuesByName(z.string()),
    quantities: valuesByName(count),
  }).nullable(),
  unreadable: z.string().nullable(),
  metered: noun({
    credits,
    metered_at: instant,
    partition: z.number().int(),
    offset: count,
  }).nullable(),
});

export function toShownLetter({ letter, event, record }: ShownLetter) {
  const { dismissed, key, payload } = letter;
  return {
    ...toDeadLetter(letter),
    dismissedAt: dismissed?.at ?? null,
    dismissedBy: dismissed?.by ?? null,
    dismissedReason: dismissed?.reason ?? null,
    keyBase64: key?.toString("base64") ?? null,
    payloadBase64: payload.toString("base64"),
    payloadSha256: letter.payloadSha256?.toString("hex") ?? null,
    event:
      typeof event === "string"
        ? null
        : { ...event, occurredAt: isDate(event.occurredAt) ? event.occurredAt : null },
    unreadable: typeof event === "string" ? event : null,
    metered: record,
  };
}

/** The most characters of a field, which may be as long as a message. */
const MOST_SHOWN = 300;
const BYTES_SHOWN = 512;

export function shownText(read: ShownLetter): string {
  const { letter, event } = read;
  return [
    fields([
      ["dead letter", placeText(letter)],
      ["state", stateText(letter)],
      ["reason", letter.reason],
      ["detail", letter.detail],
      ["account", letter.accountId ?? "unknown"],
      ["meter", letter.meter ?? "unknown"],
      ["occurred", formatInstant(letter.occurredAt, "unknown")],
      ["recorded", formatInstant(letter.recordedAt)],
      ["published", formatInstant(letter.publishedAt, "not yet")],
      ["key", keyText(letter.key)],
      ["size", sizeText(letter)],
    ]),
    typeof event === "string" ? bytesText(letter.payload, event) : eventText(event, read.record),
  ].join("\n\n");
}

function stateText({
  state,
  dismissed,
  retriedAt,
  retryAskedAt,
  retryAskedBy,
  retryRefused,
}: KeptDeadLetter) {
  if (dismissed !== null) {
    return `dismissed by ${dismissed.by} at ${formatInstant(dismissed.at)}: ${dismissed.reason}`;
  }
  if (retriedAt !== null) return `published again at ${formatInstant(retriedAt)}`;
  if (retryAskedAt !== null) {
    return `waiting to be published again, requested at ${formatInstant(retryAskedAt)} by ${retryAskedBy ?? "the scheduler"}`;
  }
  return retryRefused === null ? state : `open; not retried: ${retryRefused}`;
}

function sizeText({ payload, payloadSize, payloadSha256 }: KeptDeadLetter): string {
  const kept = countOf(payload.length, "byte");
  if (payloadSize === null) return kept;
  const whole = countOf(payloadSize, "byte");
  return `${whole}, of which the first ${kept} are kept; SHA-256 ${payloadSha256?.toString("hex")}`;
}

function keyText(key: Buffer | null): string {
  return key === null ? "none" : cut(key.toString(), MOST_SHOWN);
}

function eventText(event: UsageEvent, record: UsageRecord | null): string {
  const dimensions = Object.entries(event.dimensions).map(([name, value]) => `${name}=${value}`);
  const rows: [string, string][] = [
    ["event", event.eventId],
    ["of account", event.accountId],
    [
      "used",
      linesOf(event)
        .map(({ meter, quantity }) => `${quantity} of ${meter}`)
        .join(", "),
    ],
    ["occurred", isDate(event.occurredAt) ? formatInstant(event.occurredAt) : "out of range"],
    ["source", event.source === "" ? "not given" : event.source],
    ["dimensions", dimensions.length === 0 ? "none" : dimensions.join(", ")],
    ...(event.holdId === null ? [] : [["hold", event.holdId] as [string, string]]),
    ["metered", record === null ? "no" : recordText(record)],
  ];
  return fields(rows.map(([name, value]) => [name, cut(value, MOST_SHOWN)]));
}

/** The metered event of that id: this one after a retry, or one that it conflicts with. */
function recordText({ credits, meteredAt, partition, offset }: UsageRecord): string {
  return `under this id, for ${formatCredits(credits)} credits at ${formatInstant(meteredAt)}, read at partition ${partition}, offset ${offset}`;
}

function bytesText(payload: Buffer, why: string): string {
  const unread = fields([["unreadable", cut(why, MOST_SHOWN)]]);
  return payload.length === 0 ? unread : `${unread}\n\n${dumpBytes(payload, BYTES_SHOWN)}`;
}

const LAST_DATE = 8.64e15;

function isDate(instant: Instant): boolean {
  return Math.abs(instant) <= LAST_DATE;
}
