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

export function formatTraceparent({ traceId, spanId, traceFlags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}
