import type { FastifyInstance, InjectOptions } from "fastify";
import { onTestFinished } from "vitest";
import { newKey } from "../../services/api/access/secrets.ts";
import { buildServer } from "../../services/api/server.ts";
import { openListeners } from "../../services/api/stream/listeners.ts";
import { insertApiKey, type Scope } from "../../shared/ledger/api-keys.ts";
import { createLogger } from "../../shared/runtime/logger.ts";
import { DEFAULT_WINDOW } from "../../shared/runtime/settings.ts";
import type { Books } from "./books.ts";
import { testKafka } from "./kafka.ts";

/** The API on books of a test's own, asked without a network. */
export interface TestApi {
  readonly app: FastifyInstance;
  /** Asks with a key that may do all of it, unless another is given. */
  ask(
    method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
    url: string,
    options?: { readonly body?: unknown; readonly headers?: Record<string, string> },
  ): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the test says
  readonly body: any;
  readonly text: string;
}

export async function openApi(books: Books, now: () => number = Date.now): Promise<TestApi> {
  const logger = createLogger("api", "error");
  const settings = { corsOrigins: [], requestsPerMinute: 1_000_000, trustedProxies: undefined };
  const admin = testKafka().admin();
  await admin.connect();
  const listeners = openListeners();
  const { database } = books;
  const app = await buildServer(
    { database, logger, now, usage: NO_KAFKA, listeners, admin, dashboardDir: null },
    settings,
  );
  onTestFinished(async () => {
    await app.close();
    await admin.disconnect();
  });
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

/** Tests of ingest bring a client of their own. */
const NO_KAFKA = {
  client: { publish: () => Promise.reject(new Error("there is no Kafka here")) },
  window: DEFAULT_WINDOW,
};

/** A key of the API with these scopes, as it is sent. */
export async function makeKey(books: Books, scopes: readonly Scope[]): Promise<string> {
  const { text, keyId, hash } = newKey();
  const key = { keyId, name: "test", scopes, createdBy: "test", createdAt: Date.now() };
  await insertApiKey(books.database, key, hash);
  return text;
}
