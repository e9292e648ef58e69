import { Problem } from "../problem.ts";
import { type Json, parseJson } from "./json.ts";

export const BATCH = "application/cloudevents-batch+json";
export const SINGLE = "application/cloudevents+json";
export const PLAIN = "application/json";

export const MAX_BODY_BYTES = 1 << 20;
export const MAX_EVENTS = 1_000;

/** A parsed body and its size. */
export interface Body {
  readonly bytes: number;
  readonly json: Json;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Parses a body; throws a Problem. */
export function readBody(bytes: Buffer): Body {
  if (bytes.length === 0) throw emptyBody();
  return { bytes: bytes.length, json: jsonOf(textOf(bytes)) };
}

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw unreadable("the body is not UTF-8");
  }
}

function jsonOf(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    // Nested deeper than the stack allows.
    if (error instanceof RangeError) throw unreadable("the body is nested too deeply");
    if (!(error instanceof SyntaxError)) throw error;
    throw unreadable(`the body is not JSON: ${error.message}`);
  }
}

export interface Events {
  readonly isBatch: boolean;
  readonly events: readonly Json[];
}

/** The events of a body with this content type; throws a Problem. */
export function eventsOf({ json }: Body, contentType: string): Events {
  const mediaType = contentType.split(";", 1)[0]?.trim().toLowerCase();
  if (!isList(json)) {
    if (mediaType === BATCH) throw unreadable(`the body must be a list of events: ${BATCH}`);
    return { isBatch: false, events: [json] };
  }
  if (mediaType === SINGLE) {
    throw unreadable(`the body must be one event; send a list of them as ${BATCH}`);
  }
  if (json.length > MAX_EVENTS) {
    const detail = `the batch has ${json.length} events; send at most ${MAX_EVENTS} per request`;
    throw new Problem(413, "too_many_events", detail, { field: "body" });
  }
  return { isBatch: true, events: json };
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

export function emptyBody(): Problem {
  return unreadable("the body is empty; send CloudEvents as JSON");
}

function unreadable(detail: string): Problem {
  return new Problem(400, "unreadable", detail, { field: "body" });
}
