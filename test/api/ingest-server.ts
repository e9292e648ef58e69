import fastify from "fastify";
import { onTestFinished } from "vitest";
import { type IngestParts, ingestRoutes } from "../../services/api/ingest/routes.ts";
import { openUsageClient, type UsageClientOptions } from "../../shared/client/usage-client.ts";
import { DEFAULT_WINDOW, readSettings } from "../../shared/runtime/settings.ts";

interface Options extends Partial<IngestParts> {
  readonly giveUpAfterMs?: UsageClientOptions["giveUpAfterMs"];
}

/** Serves the ingest routes alone, on real Kafka; gives their origin. What fails on our side is kept. */
export async function serveIngest({ giveUpAfterMs = 120_000, ...parts }: Options = {}) {
  const { kafka, registry } = readSettings(process.env);
  const client = openUsageClient({ kafka, registry, giveUpAfterMs });
  const troubles: unknown[] = [];
  const app = fastify();
  await app.register(ingestRoutes, {
    client,
    readFeeds: async () => new Map(),
    now: Date.now,
    window: DEFAULT_WINDOW,
    onTrouble: (error) => troubles.push(error),
    ...parts,
  });
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  onTestFinished(async () => {
    await app.close();
    await client.close();
  });
  return { origin, troubles };
}

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly retryAfter: string | null;
  readonly json: {
    readonly accepted?: number;
    readonly rejected?: readonly { readonly index: number; readonly [field: string]: unknown }[];
    readonly status?: number;
    readonly detail?: string;
    readonly field?: string;
  };
}

/** Posts a body as it is, or a value as JSON. */
export async function post(
  origin: string,
  body: unknown,
  contentType = "application/json",
  path = "/v1/events",
): Promise<Answer> {
  const isRaw = typeof body === "string" || Buffer.isBuffer(body);
  const response = await fetch(`${origin}${path}`, {
    method: "POST",
    headers: { "content-type": contentType },
    body: isRaw ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    retryAfter: response.headers.get("retry-after"),
    json: (await response.json()) as Answer["json"],
  };
}
