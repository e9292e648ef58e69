/** A place in a trace, as the W3C's Trace Context has it. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

/** The header, of HTTP and of Kafka. */
export const TRACEPARENT = "traceparent";

const SAMPLED = 1;
/** Version 00, and what a later version has in the same places. */
const FORM =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

/** Reads a `traceparent`; null: it is none. Source: https://www.w3.org/TR/trace-context/#traceparent-header */
export function parseTraceparent(text: string): TraceContext | null {
  const [, traceId, spanId, flags] = FORM.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED };
}

/** Whether whoever wrote it keeps the trace. */
export function isSampled({ traceFlags }: Pick<TraceContext, "traceFlags">): boolean {
  return (traceFlags & SAMPLED) !== 0;
}

const FLAGS_END = 55;
/** The last digits of flags with `SAMPLED`. */
const SAMPLED_DIGITS = Buffer.from("13579bdf");

/** The `traceparent` at `[from, end)` of bytes; null: it is none, or of a trace that is left out. */
export function sampledTraceparent(bytes: Buffer, from: number, end: number): string | null {
  // Most are left out, and no text is made of those.
  const digit = bytes[from + FLAGS_END - 1];
  if (end - from < FLAGS_END || digit === undefined || !SAMPLED_DIGITS.includes(digit)) return null;
  const text = bytes.toString("utf8", from, end);
  return parseTraceparent(text) === null ? null : text;
}

export function formatTraceparent({ traceId, spanId, traceFlags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}
