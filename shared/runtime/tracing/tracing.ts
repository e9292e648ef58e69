/** What a span says of itself. Never an account's id: traces leave the deployment. */
export type Attributes = Readonly<Record<string, string | number | readonly number[]>>;

export interface SpanStart {
  readonly kind: "server" | "producer" | "consumer" | "internal";
  readonly attributes?: Attributes;
  /** The `traceparent` of what it belongs to beside its parent. */
  readonly links?: readonly string[];
  /** In milliseconds since 1970, by `spanClock`. */
  readonly at: number;
}

export interface Span {
  /** For the headers of what it causes; null: the sampler leaves its trace out. */
  readonly traceparent: string | null;
  /** Starts a span within it. */
  start(name: string, start: SpanStart): Span;
  set(attributes: Attributes): void;
  end(at: number, error?: unknown): void;
}

/** Traces of OpenTelemetry. Contexts are texts, as they travel in headers. */
export interface Tracing {
  /** Starts a span of the caller's trace, by its `traceparent`; without a valid one, of a new trace. */
  start(name: string, start: SpanStart & { readonly parent?: string | undefined }): Span;
  /** Sends what waits to be sent, for a second at most. */
  close(): Promise<void>;
}

/** The names are those of the variable OTEL_TRACES_SAMPLER. */
export const SAMPLERS = [
  ...["always_on", "always_off", "traceidratio"],
  ...["parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"],
] as const;

export interface TraceSettings {
  readonly sampler: (typeof SAMPLERS)[number];
  /** What share of traces a sampler by ratio keeps. */
  readonly ratio: number;
}

/** The time in milliseconds since 1970, finer than `Date.now` and never backwards while a span lasts. */
export function spanClock(): () => number {
  const origin = Date.now() - performance.now();
  return () => origin + performance.now();
}
