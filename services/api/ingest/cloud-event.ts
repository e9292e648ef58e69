import type { Instant } from "../../../shared/core/line/account.ts";
import { parseInstant } from "../../../shared/core/text/instant-text.ts";
import { fieldOf, isObject, type Json, type JsonObject, kindOf } from "./json.ts";
import { malformed, type Refusal } from "./refusal.ts";

/** The attributes of a CloudEvents 1.0 event that are used; extension attributes are ignored. */
export interface CloudEvent {
  readonly kind: "event";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly occurredAt: Instant;
  readonly data: JsonObject;
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** Reads an event in CloudEvents' JSON format. One without a `time` occurred `now`. */
export function readCloudEvent(given: Json, now: Instant): CloudEvent | Refusal {
  if (!isObject(given)) return malformed("", `must be a CloudEvents event, not ${kindOf(given)}`);
  const version = fieldOf(given, "specversion");
  if (version !== "1.0") return malformed("specversion", `must be "1.0", not ${shown(version)}`);
  const id = textOf(given, "id");
  if (typeof id !== "string") return id;
  const source = textOf(given, "source");
  if (typeof source !== "string") return source;
  const type = textOf(given, "type");
  if (typeof type !== "string") return type;
  const subject = textOf(given, "subject");
  if (typeof subject !== "string") return subject;
  const occurredAt = timeOf(given, now);
  if (typeof occurredAt !== "number") return occurredAt;
  const data = fieldOf(given, "data");
  if (!isObject(data)) return malformed("data", `must be a JSON object, not ${kindOf(data)}`);
  return { kind: "event", id, source, type, subject, occurredAt, data };
}

function textOf(event: JsonObject, name: string): string | Refusal {
  const value = fieldOf(event, name);
  if (value === undefined) return malformed(name, "is missing");
  if (typeof value !== "string") return malformed(name, `must be text, not ${kindOf(value)}`);
  return value === "" ? malformed(name, "is empty") : value;
}

function timeOf(event: JsonObject, now: Instant): Instant | Refusal {
  const value = fieldOf(event, "time");
  if (value === undefined || value === null) return now;
  const at = typeof value === "string" && RFC_3339.test(value) ? parseInstant(value) : null;
  if (at !== null) return at;
  return malformed("time", `must be an instant like 2026-09-01T12:00:00Z, not ${shown(value)}`);
}

const MOST_SHOWN = 64;

function shown(value: Json | undefined): string {
  if (typeof value !== "string") return kindOf(value);
  const text = value.length <= MOST_SHOWN ? value : `${value.slice(0, MOST_SHOWN)}...`;
  return JSON.stringify(text);
}
