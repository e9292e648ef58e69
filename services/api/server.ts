import cors from "@fastify/cors";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { Admin } from "kafkajs";
import { feedReader } from "../../shared/ledger/catalogue/feeds.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import { authenticate, nameOf } from "./access/authenticate.ts";
import { answerBadAddress, answerBadConnection, answerProblems } from "./answer-problems.ts";
import { closeSilent } from "./close-silent.ts";
import { keepIdempotent } from "./idempotency.ts";
import { type IngestParts, ingestRoutes } from "./ingest/routes.ts";
import { OPENAPI } from "./openapi.ts";
import { metricsRoute } from "./operations/metrics.ts";
import { operationsRoutes } from "./operations/operations-routes.ts";
import { Problem } from "./problem.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { balanceRoutes } from "./routes/balance.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { entryRoutes } from "./routes/entries.ts";
import { grantRoutes } from "./routes/grants.ts";
import { keyRoutes } from "./routes/keys.ts";
import { lotRoutes } from "./routes/lots.ts";
import { outlookRoutes } from "./routes/outlook.ts";
import type { RouteParts } from "./routes/parts.ts";
import { subscriptionRoutes } from "./routes/subscription.ts";
import { topUpRoutes } from "./routes/top-ups.ts";
import { usageRoutes } from "./routes/usage.ts";
import { secureHeaders } from "./security-headers.ts";
import { openAll, serveDashboard } from "./serve-dashboard.ts";
import type { ApiSettings } from "./settings.ts";
import type { Listeners } from "./stream/listeners.ts";
import { streamRoutes } from "./stream/stream-routes.ts";

const BODY_BYTES = 1024 * 1024;
/** An id has at most 256 characters, each of at most 9 in a path. */
const PARAMETER_LENGTH = 256 * 9;
const LOOK_FOR_SLOW_MS = 500;

export interface ServerParts extends RouteParts {
  readonly logger: Logger;
  /** How ingest publishes, and within which window. */
  readonly usage: Pick<IngestParts, "client" | "window" | "limits">;
  /** Who listens to what the billing topics tell. */
  readonly listeners: Listeners;
  /** Connected. */
  readonly admin: Admin;
  /** The files of the dashboard; null: they are not built. */
  readonly dashboardDir: string | null;
}

const ROUTES = [
  ...[accountRoutes, balanceRoutes, lotRoutes, entryRoutes, usageRoutes, outlookRoutes],
  ...[topUpRoutes, grantRoutes, subscriptionRoutes, streamRoutes],
  ...[catalogueRoutes, deadLetterRoutes, keyRoutes, operationsRoutes, metricsRoute],
];

/** Builds the API's server; it does not listen yet. */
export async function buildServer(
  parts: ServerParts,
  settings: Omit<ApiSettings, "host" | "port">,
): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = parts.logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger of its own for each request is more work than answering most of them.
    childLoggerFactory: (logger) => logger,
    bodyLimit: BODY_BYTES,
    requestTimeout: settings.requestWithinMs,
    // Node swaps the two where headers may take longer than the whole request.
    http: {
      headersTimeout: settings.requestWithinMs,
      connectionsCheckingInterval: LOOK_FOR_SLOW_MS,
    },
    routerOptions: { maxParamLength: PARAMETER_LENGTH },
    frameworkErrors: answerBadAddress,
    clientErrorHandler: answerBadConnection,
    ...(settings.trustedProxies === undefined ? {} : { trustProxy: settings.trustedProxies }),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser("text/plain");
  answerProblems(app);
  closeSilent(app);

  const { corsOrigins, embedOrigins } = settings;
  secureHeaders(app, embedOrigins);
  if (corsOrigins.length > 0) await app.register(cors, { origin: [...corsOrigins], ...CORS });
  await app.register(swagger, OPENAPI);
  authenticate(app, parts);
  await app.register(rateLimit, {
    max: settings.requestsPerMinute,
    timeWindow: "1 minute",
    keyGenerator: (request) => (request.caller === null ? request.ip : nameOf(request)),
    errorResponseBuilder: (_, { ttl }) =>
      new Problem(429, "too_many_requests", "this key has asked too often; ask again later", {
        retryAfterSeconds: Math.ceil(ttl / 1000),
      }),
  });
  keepIdempotent(app, parts);
  await app.register(async (scope) => {
    openAll(scope);
    await scope.register(swaggerUi, { routePrefix: "/docs", staticCSP: true });
  });
  app.get("/openapi.json", { config: { access: "open" }, schema: { hide: true } }, () =>
    app.swagger(),
  );
  app.get("/health", { config: { access: "open" }, schema: { hide: true } }, async () => {
    await parts.database.query("SELECT 1");
    return { status: "up" };
  });
  for (const routes of ROUTES) routes(app, parts);
  const { database, now, usage, dashboardDir } = parts;
  await app.register(ingestRoutes, { ...usage, now, readFeeds: feedReader(database, now) });
  if (dashboardDir !== null) await serveDashboard(app, dashboardDir);
  return app;
}

const CORS = {
  methods: ["GET", "POST", "PATCH", "PUT", "DELETE"],
  exposedHeaders: ["ETag", "Idempotency-Replayed", "Retry-After"],
};
