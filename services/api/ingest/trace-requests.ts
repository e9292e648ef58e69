import type { FastifyInstance } from "fastify";
import { TOPICS } from "../../../shared/core/text/topics.ts";
import { TRACEPARENT } from "../../../shared/runtime/tracing/trace-context.ts";
import { type Span, spanClock, type Tracing } from "../../../shared/runtime/tracing/tracing.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Null: it is not traced. */
    span: Span | null;
  }
}

const SERVER_ERROR = 500;

/** Traces the requests of `app` whose caller is known, within the trace that they name. */
export function traceRequests(app: FastifyInstance, tracing: Tracing | null): void {
  app.decorateRequest("span", null);
  if (tracing === null) return;
  app.addHook("onRequest", async (request) => {
    const { method, headers, routeOptions } = request;
    const route = routeOptions.url ?? "";
    const parent = headers[TRACEPARENT];
    request.span = tracing.start(`${method} ${route}`, {
      ...{ kind: "server", at: Date.now() },
      ...(typeof parent === "string" && { parent }),
      attributes: { "http.request.method": method, "http.route": route },
    });
  });
  app.addHook("onResponse", async ({ span }, { statusCode }) => {
    span?.set({ "http.response.status_code": statusCode });
    span?.end(Date.now(), statusCode >= SERVER_ERROR ? statusCode : undefined);
  });
}

/** Traces the sending of events within their request's span; `send` has the `traceparent` for their headers. */
export async function traceSending<T>(
  request: Span | null,
  events: number,
  send: (traceparent: string | null) => Promise<T>,
): Promise<T> {
  if (request === null) return send(null);
  const now = spanClock();
  const span = request.start(`send ${TOPICS.usageEvents}`, {
    ...{ kind: "producer", at: now() },
    attributes: {
      "messaging.system": "kafka",
      "messaging.destination.name": TOPICS.usageEvents,
      "messaging.batch.message_count": events,
    },
  });
  try {
    const outcome = await send(span.traceparent);
    span.end(now());
    return outcome;
  } catch (error) {
    span.end(now(), error);
    throw error;
  }
}
