import type { Instant } from "../../../shared/core/line/account.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import type { KeptDeadLetter } from "../../../shared/ledger/dead-letters/read.ts";
import type { UsageRecord } from "../../../shared/ledger/usage/explain.ts";
import { fields, instantJson } from "../shell/print.ts";
import { dumpBytes } from "./dump-bytes.ts";
import { cut, listedJson } from "./list.ts";

/** What show tells of a dead letter. */
export interface ShownLetter {
  readonly letter: KeptDeadLetter;
  /** The event in it, or why it cannot be read. */
  readonly event: UsageEvent | string;
  /** What was metered under the event's identity; null: nothing. */
  readonly record: UsageRecord | null;
}

export function shownJson({ letter, event, record }: ShownLetter) {
  const { dismissed } = letter;
  return {
    ...listedJson(letter),
    meter: letter.meter,
    occurred_at: instantJson(letter.occurredAt),
    published_at: instantJson(letter.publishedAt),
    retry_asked_at: instantJson(letter.retryAskedAt),
    retried_at: instantJson(letter.retriedAt),
    retry_refused: letter.retryRefused,
    dismissed_at: instantJson(dismissed?.at ?? null),
    dismissed_by: dismissed?.by ?? null,
    dismissed_reason: dismissed?.reason ?? null,
    key_base64: letter.key?.toString("base64") ?? null,
    payload_base64: letter.payload.toString("base64"),
    event: typeof event === "string" ? null : eventJson(event),
    unreadable: typeof event === "string" ? event : null,
    metered: record && {
      ...{ credits: record.credits, metered_at: instantJson(record.meteredAt) },
      ...{ partition: record.partition, offset: record.offset },
    },
  };
}

function eventJson(event: UsageEvent) {
  return {
    ...{ event_id: event.eventId, account_id: event.accountId, meter: event.meter },
    quantity: event.quantity,
    occurred_at: isDate(event.occurredAt) ? instantJson(event.occurredAt) : null,
    ...{ source: event.source, dimensions: event.dimensions },
  };
}

/** Fields may be as long as a message: this much of each is shown. */
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
      ["account", letter.accountId ?? "not known"],
      ["meter", letter.meter ?? "not known"],
      ["occurred", formatInstant(letter.occurredAt, "not known")],
      ["recorded", formatInstant(letter.recordedAt)],
      ["published", formatInstant(letter.publishedAt, "not yet")],
      ["key", keyText(letter.key)],
      ["size", countOf(letter.payload.length, "byte")],
    ]),
    typeof event === "string" ? bytesText(letter.payload, event) : eventText(event, read.record),
  ].join("\n\n");
}

function stateText({ state, dismissed, retriedAt, retryAskedAt, retryRefused }: KeptDeadLetter) {
  if (dismissed !== null) {
    return `dismissed by ${dismissed.by} at ${formatInstant(dismissed.at)}: ${dismissed.reason}`;
  }
  if (retriedAt !== null) return `published again at ${formatInstant(retriedAt)}`;
  if (retryAskedAt !== null) {
    return `to be published again, as asked for at ${formatInstant(retryAskedAt)}`;
  }
  return retryRefused === null ? state : `open; not retried: ${retryRefused}`;
}

function keyText(key: Buffer | null): string {
  return key === null ? "none" : cut(key.toString(), MOST_SHOWN);
}

function eventText(event: UsageEvent, record: UsageRecord | null): string {
  const dimensions = Object.entries(event.dimensions).map(([name, value]) => `${name}=${value}`);
  const rows: [string, string][] = [
    ["event", event.eventId],
    ["of account", event.accountId],
    ["used", `${event.quantity} of ${event.meter}`],
    [
      "occurred",
      isDate(event.occurredAt) ? formatInstant(event.occurredAt) : "beyond all calendars",
    ],
    ["source", event.source === "" ? "not said" : event.source],
    ["dimensions", dimensions.length === 0 ? "none" : dimensions.join(", ")],
    ["metered", record === null ? "no" : recordText(record)],
  ];
  return fields(rows.map(([name, value]) => [name, cut(value, MOST_SHOWN)]));
}

/** An event of that id was metered: this one, retried, or another that it is in conflict with. */
function recordText({ credits, meteredAt, partition, offset }: UsageRecord): string {
  return `under this id, for ${formatCredits(credits)} credits at ${formatInstant(meteredAt)}, read at partition ${partition}, offset ${offset}`;
}

function bytesText(payload: Buffer, why: string): string {
  const unread = fields([["not read", cut(why, MOST_SHOWN)]]);
  return payload.length === 0 ? unread : `${unread}\n\n${dumpBytes(payload, BYTES_SHOWN)}`;
}

const LAST_DATE = 8.64e15;

function isDate(instant: Instant): boolean {
  return Math.abs(instant) <= LAST_DATE;
}
