import type { FastifyInstance, InjectOptions } from "fastify";
import { onTestFinished } from "vitest";
import { buildServer, type ServerContext } from "../../../services/api/server.ts";
import { readChanges } from "../../../services/api/stream/changes.ts";
import { type Listeners, openListeners } from "../../../services/api/stream/listeners.ts";
import { USUAL_ATTEMPTS } from "../../../shared/core/payments/attempts-by-hand.ts";
import type { Scope } from "../../../shared/core/text/scopes.ts";
import { DEFAULT_WINDOW } from "../../../shared/core/usage/usage-event.ts";
import { makeApiKey } from "../../../shared/ledger/access/make-access.ts";
import { createLogger } from "../../../shared/runtime/logger.ts";
import { openMetrics } from "../../../shared/runtime/metrics/metrics.ts";
import type { Books } from "../books/books.ts";
import { testKafka } from "../kafka/kafka.ts";

/** The API on a test's books, called without a network. */
export interface TestApi {
  readonly app: FastifyInstance;
  /** Sends requests, by default with a key that has every scope. */
  ask(
    method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
    url: string,
    options?: { readonly body?: unknown; readonly headers?: Record<string, string> },
  ): Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of its answer
  readonly body: any;
  readonly text: string;
}

/** The API's server on a test's books and the real Kafka, with overrides; closed when the test is over. */
export async function testServer(
  ...server: Parameters<typeof openServer>
): Promise<FastifyInstance> {
  const { app, close } = await openServer(...server);
  onTestFinished(close);
  return app;
}

/** The same for several tests, since building it takes longer than most of them: the caller closes it. */
export async function openServer(
  books: Books,
  given: Partial<ServerContext> = {},
  settings: Partial<Parameters<typeof buildServer>[1]> = {},
): Promise<{ readonly app: FastifyInstance; close(): Promise<void> }> {
  const admin = testKafka().admin();
  await admin.connect();
  const app = await buildServer(
    {
      database: books.database,
      heavyDatabase: books.database,
      holdDatabase: books.database,
      logger: createLogger("api", "error"),
      metrics: openMetrics(),
      now: Date.now,
      usage: NO_USAGE,
      attemptsPerHour: USUAL_ATTEMPTS,
      webhooks: { allowPrivate: false },
      listeners: listenersOf(books),
      skipped: { counts: () => [] },
      admin,
      stopping: new AbortController().signal,
      dashboardDir: null,
      ...given,
    },
    {
      corsOrigins: [],
      embedOrigins: [],
      requestsPerMinute: 1_000_000,
      wrongKeysPerMinute: 1_000_000,
      streamsPerAccount: 10_000,
      requestWithinMs: 30_000,
      trustedProxies: undefined,
      defaultOverdraft: null,
      ...settings,
    },
  );
  return {
    app,
    async close() {
      await app.close();
      await admin.disconnect();
    },
  };
}

export function listenersOf({ database }: Books): Listeners {
  const logger = createLogger("api", "error");
  return openListeners((known) => readChanges({ database, now: Date.now }, known), logger);
}

export async function openApi(
  books: Books,
  given: Partial<ServerContext> = {},
  settings: Partial<Parameters<typeof buildServer>[1]> = {},
): Promise<TestApi> {
  const app = await testServer(books, given, settings);
  const key = await makeKey(books, ["admin"]);
  return {
    app,
    async ask(method, url, { body, headers = {} } = {}) {
      const asked: InjectOptions = {
        method,
        url,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      };
      const answer = await app.inject(asked);
      const isJson = /json/.test(String(answer.headers["content-type"]));
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: isJson && answer.payload !== "" ? answer.json() : null,
        text: answer.payload,
      };
    },
  };
}

/** Tests of ingest pass their own client. */
const NO_USAGE = {
  client: { publish: () => Promise.reject(new Error("this test takes no usage")) },
  window: DEFAULT_WINDOW,
};

/** An API key with these scopes, in plain text. */
export async function makeKey(books: Books, scopes: readonly Scope[]): Promise<string> {
  const asked = { name: "test", scopes, createdBy: "test", now: Date.now() };
  const { text } = await makeApiKey(books.database, asked);
  return text;
}
