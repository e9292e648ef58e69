import { setTimeout as sleep } from "node:timers/promises";
import {
  type Context,
  type Link,
  type Span as OpenSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
// Of this the smallest exporter, as JSON over HTTP: no gRPC, no protobuf. It names its version of the other
// packages exactly, so theirs are exact in package.json, too.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Logger } from "../logger.ts";
import { formatTraceparent, isSampled, parseTraceparent } from "./trace-context.ts";
import type { Span, SpanStart, TraceSettings, Tracing } from "./tracing.ts";

/** Spans that wait to be sent; further ones are dropped. */
const MOST_WAITING = 2_048;
const SEND_EVERY_MS = 1_000;
/** Of the stop of a service. */
const CLOSE_WITHIN_MS = 1_000;
const WARN_EVERY_MS = 60_000;

const KINDS = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/** Sends traces by OTLP. The exporter reads where to, and its headers, from the variables OTEL_EXPORTER_OTLP_*. */
export function openOtlpTracing(service: string, settings: TraceSettings, logger: Logger): Tracing {
  const provider = new TracerProvider({
    sampler: sampledByLinks(samplerOf(settings)),
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": `drawdown-${service}` }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: warning(new OTLPTraceExporter(), logger),
        maxQueueSize: MOST_WAITING,
        scheduledDelayMillis: SEND_EVERY_MS,
      }),
    ],
  });
  const tracer = provider.getTracer("drawdown");

  function start(parent: Context, name: string, { kind, at, attributes, links }: SpanStart): Span {
    const options = {
      kind: KINDS[kind],
      startTime: at,
      attributes: mutable(attributes),
      links: (links ?? []).flatMap(linkTo),
    };
    return toSpan(tracer.startSpan(name, options, parent));
  }

  function toSpan(span: OpenSpan): Span {
    const context = span.spanContext();
    return {
      traceparent: isSampled(context) ? formatTraceparent(context) : null,
      start: (name, started) => start(trace.setSpan(ROOT_CONTEXT, span), name, started),
      set: (attributes) => void span.setAttributes(mutable(attributes)),
      end(at, error) {
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(at);
      },
    };
  }

  return {
    start: (name, { parent, ...started }) => start(remote(parent), name, started),
    async close() {
      const closed = provider.shutdown().catch(() => undefined);
      await Promise.race([closed, sleep(CLOSE_WITHIN_MS)]);
    },
  };
}

function remote(traceparent: string | undefined): Context {
  const context = traceparent === undefined ? null : parseTraceparent(traceparent);
  return context === null
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, { ...context, isRemote: true });
}

function linkTo(traceparent: string): Link[] {
  const context = parseTraceparent(traceparent);
  return context === null ? [] : [{ context: { ...context, isRemote: true } }];
}

/** The library's types have lists that can be changed. */
function mutable(attributes: SpanStart["attributes"] = {}) {
  const entries = Object.entries(attributes).map(([name, value]) => [
    name,
    typeof value === "object" ? [...value] : value,
  ]);
  return Object.fromEntries(entries);
}

function samplerOf({ sampler, ratio }: TraceSettings): Sampler {
  switch (sampler) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}

/** A trace that begins with links is kept where a span within one of what it links to would be. */
function sampledByLinks(sampler: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const parents = trace.getSpanContext(context) === undefined ? links : [];
      for (const { context: linked } of parents) {
        const within = trace.setSpanContext(ROOT_CONTEXT, linked);
        const result = sampler.shouldSample(within, linked.traceId, name, kind, attributes, []);
        if (result.decision === SamplingDecision.RECORD_AND_SAMPLED) return result;
      }
      return sampler.shouldSample(context, traceId, name, kind, attributes, links);
    },
    toString: () => `SampledByLinks{${sampler}}`,
  };
}

/** Says once a minute that spans are lost; the library itself logs nothing. */
function warning(exporter: SpanExporter, logger: Logger): SpanExporter {
  let warnedAt = Number.NEGATIVE_INFINITY;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const now = performance.now();
        if (result.error !== undefined && now >= warnedAt + WARN_EVERY_MS) {
          warnedAt = now;
          const error = (result.error as NodeJS.ErrnoException).code ?? result.error.message;
          logger.warn({ error }, "traces cannot be sent, and are lost; nothing waits for them");
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
