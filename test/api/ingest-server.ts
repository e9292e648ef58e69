import { onTestFinished } from "vitest";
import type { IngestContext } from "../../services/api/ingest/routes.ts";
import { openUsageClient, type UsageClientOptions } from "../../shared/client/usage-client.ts";
import { DEFAULT_WINDOW } from "../../shared/core/usage/usage-event.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import type { Books } from "../support/books/books.ts";
import { silent } from "../support/kafka/kafka.ts";
import { makeKey, testServer } from "../support/processes/api.ts";

interface Options {
  readonly limits?: NonNullable<IngestContext["limits"]>;
  readonly giveUpAfterMs?: NonNullable<UsageClientOptions["giveUpAfterMs"]>;
  readonly now?: () => number;
}

/** A listening server, and a key that may send usage to it. */
export interface IngestServer {
  readonly origin: string;
  readonly key: string;
}

/** Serves the API on real Kafka, as its main does. */
export async function serveIngest(books: Books, options: Options = {}): Promise<IngestServer> {
  const { limits = {}, giveUpAfterMs = 120_000, now = Date.now } = options;
  const { kafka, registry } = readSettings(process.env);
  const client = openUsageClient({ kafka, registry, giveUpAfterMs });
  const usage = { client, window: DEFAULT_WINDOW, limits };
  // Closed after the server, which finishes its last deliveries first.
  onTestFinished(() => client.close());
  const app = await testServer(books, { logger: silent, now, usage });
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  return { origin, key: await makeKey(books, ["ingest"]) };
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

/** Posts a text unchanged, or a value as JSON. */
export async function post(
  { origin, key }: IngestServer,
  body: unknown,
  contentType = "application/json",
  path = "/v1/events",
): Promise<Answer> {
  const isRaw = typeof body === "string" || Buffer.isBuffer(body);
  const response = await fetch(`${origin}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": contentType },
    body: isRaw ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    retryAfter: response.headers.get("retry-after"),
    json: (await response.json()) as Answer["json"],
  };
}
