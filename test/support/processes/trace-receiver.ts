import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { z } from "zod";

const link = z.object({ traceId: z.string(), spanId: z.string() });

const body = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({
        attributes: z.array(z.object({ key: z.string(), value: z.unknown() })),
      }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            link.extend({
              parentSpanId: z.string().default(""),
              name: z.string(),
              startTimeUnixNano: z.string().transform(BigInt),
              endTimeUnixNano: z.string().transform(BigInt),
              attributes: z.array(z.object({ key: z.string(), value: z.unknown() })),
              links: z.array(link).default([]),
            }),
          ),
        }),
      ),
    }),
  ),
});

type Body = z.infer<typeof body>;
export type ReceivedSpan = Body["resourceSpans"][number]["scopeSpans"][number]["spans"][number] & {
  readonly service: string;
};

/** What a collector of OpenTelemetry is to a service: OTLP over HTTP, as JSON. */
export interface TraceReceiver {
  readonly url: string;
  /** All spans so far. */
  readonly spans: readonly ReceivedSpan[];
  /** The bodies as they came. */
  readonly texts: readonly string[];
  /** Requests that were never answered. */
  readonly unanswered: number;
  /** Takes connections and requests, and answers none of them from now on. */
  hang(): void;
  /** Refuses connections from now on. */
  close(): Promise<void>;
}

export async function receiveTraces(): Promise<TraceReceiver> {
  const spans: ReceivedSpan[] = [];
  const texts: string[] = [];
  let hangs = false;
  let unanswered = 0;
  const server = createServer(async (request, response) => {
    const sent = await text(request);
    if (hangs) {
      unanswered += 1;
      return;
    }
    texts.push(sent);
    spans.push(...(request.url === "/v1/traces" ? spansIn(body.parse(JSON.parse(sent))) : []));
    response.setHeader("content-type", "application/json").end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, spans, texts },
    get unanswered() {
      return unanswered;
    },
    hang() {
      hangs = true;
    },
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function spansIn({ resourceSpans }: Body): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const named = resource.attributes.find(({ key }) => key === "service.name");
    const { stringValue: service = "" } = (named?.value ?? {}) as { stringValue?: string };
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service })));
  });
}
