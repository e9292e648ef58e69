import cors from "@fastify/cors";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { Admin } from "kafkajs";
import type { SkippedRecords } from "../../shared/kafka/consume/skipped-records.ts";
import { feedReader } from "../../shared/ledger/catalogue/feeds.ts";
import { ratesReader } from "../../shared/ledger/catalogue/rates.ts";
import { gatherRequests } from "../../shared/ledger/holds/gather-requests.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import type { Metrics } from "../../shared/runtime/metrics/metrics.ts";
import { sayProblemsPlainly } from "../../shared/runtime/plain-problems.ts";
import { authenticate } from "./access/authenticate.ts";
import { nameOf } from "./access/caller.ts";
import { watchAccess } from "./access/watch-access.ts";
import { openWrongKeys } from "./access/wrong-keys.ts";
import { answerBadAddress, answerBadConnection, answerProblems } from "./answer-problems.ts";
import { closeConnections } from "./close-connections.ts";
import { openCsvAnswers } from "./csv-answer.ts";
import { EXPORTS, openHeavyReads } from "./heavy-reads.ts";
import { keepIdempotent } from "./idempotency.ts";
import { type IngestContext, ingestRoutes } from "./ingest/routes.ts";
import { OPENAPI } from "./openapi.ts";
import { metricsRoute } from "./operations/metrics-route.ts";
import { operationsRoute } from "./operations/operations-route.ts";
import { Problem } from "./problem.ts";
import { refuseEncoded } from "./refuse-encoded.ts";
import { serveRoot } from "./root-page.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { balanceRoute } from "./routes/balance.ts";
import { budgetRoutes } from "./routes/budgets.ts";
import { catalogueRoute } from "./routes/catalogue.ts";
import { changeCatalogueRoutes } from "./routes/change-catalogue.ts";
import { deadLetterRoute } from "./routes/dead-letters.ts";
import { decideDeadLetterRoutes } from "./routes/decide-dead-letters.ts";
import { entryRoutes } from "./routes/entries.ts";
import { estimateRoute } from "./routes/estimate.ts";
import { grantRoutes } from "./routes/grants.ts";
import { holdRoutes } from "./routes/holds.ts";
import { invoicingRoutes } from "./routes/invoicing.ts";
import { keyRoutes } from "./routes/keys.ts";
import { lotRoutes } from "./routes/lots.ts";
import { nameRoute } from "./routes/names.ts";
import { outlookRoutes } from "./routes/outlook.ts";
import { ownRatesRoutes } from "./routes/own-rates.ts";
import { paymentMethodRoutes } from "./routes/payment-methods.ts";
import { paymentsRoute } from "./routes/payments.ts";
import { refundRoutes } from "./routes/refunds.ts";
import { subscriptionRoutes } from "./routes/subscription.ts";
import { topUpRoutes } from "./routes/top-ups.ts";
import { usageRoutes } from "./routes/usage.ts";
import { type WebhookContext, webhookRoutes } from "./routes/webhooks.ts";
import { secureHeaders } from "./security-headers.ts";
import { openAll, serveDashboard } from "./serve-dashboard.ts";
import type { ApiSettings } from "./settings.ts";
import type { Listeners } from "./stream/listeners.ts";
import { streamRoute } from "./stream/stream-route.ts";

const BODY_BYTES = 1024 * 1024;
/** An id has at most 256 characters, each at most 9 when percent-encoded. */
const PARAMETER_LENGTH = 256 * 9;
const CHECK_SLOW_EVERY_MS = 500;

/** Everything the server works with; the caller opens it and closes it. */
export interface ServerContext
  extends Pick<WebhookContext, "database" | "now" | "attemptsPerHour" | "webhooks"> {
  /** The pool of reads that may take long. */
  readonly heavyDatabase: Database;
  /** The pool of requests about holds. */
  readonly holdDatabase: Database;
  readonly logger: Logger;
  /** Of this process; the server adds what it shows. */
  readonly metrics: Metrics;
  readonly usage: Pick<IngestContext, "client" | "window" | "limits" | "tracing">;
  /** The open streams. */
  readonly listeners: Listeners;
  /** Records of the billing topics that cannot be used. */
  readonly skipped: Pick<SkippedRecords, "counts">;
  /** Connected. */
  readonly admin: Admin;
  /** Aborted some time before the server is closed: it takes its leave of its clients. */
  readonly stopping: AbortSignal;
  /** The dashboard's files; null if it is not built. */
  readonly dashboardDir: string | null;
}

const ROUTES = [
  ...[
    accountRoutes,
    balanceRoute,
    lotRoutes,
    entryRoutes,
    usageRoutes,
    outlookRoutes,
    holdRoutes,
    alertRoutes,
    budgetRoutes,
    estimateRoute,
    ownRatesRoutes,
  ],
  ...[
    topUpRoutes,
    paymentsRoute,
    paymentMethodRoutes,
    refundRoutes,
    grantRoutes,
    subscriptionRoutes,
    invoicingRoutes,
    streamRoute,
  ],
  ...[
    catalogueRoute,
    nameRoute,
    changeCatalogueRoutes,
    deadLetterRoute,
    decideDeadLetterRoutes,
    keyRoutes,
    webhookRoutes,
    operationsRoute,
    metricsRoute,
  ],
].flat();

/** Builds the API's server; it does not listen yet. */
export async function buildServer(
  context: ServerContext,
  settings: Omit<ApiSettings, "host" | "port">,
): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = context.logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    // Creating a logger per request costs more than answering most of them.
    childLoggerFactory: (logger) => logger,
    bodyLimit: BODY_BYTES,
    requestTimeout: settings.requestWithinMs,
    // Node ignores requestTimeout if headersTimeout is longer.
    http: {
      headersTimeout: settings.requestWithinMs,
      connectionsCheckingInterval: CHECK_SLOW_EVERY_MS,
    },
    routerOptions: { maxParamLength: PARAMETER_LENGTH },
    frameworkErrors: answerBadAddress,
    clientErrorHandler: answerBadConnection,
    ...(settings.trustedProxies === undefined ? {} : { trustProxy: settings.trustedProxies }),
  });
  sayProblemsPlainly();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser("text/plain");
  app.addHook("preParsing", refuseEncoded);
  answerProblems(app, context.stopping);
  closeConnections(app, context.stopping);

  const { corsOrigins, embedOrigins } = settings;
  secureHeaders(app, embedOrigins);
  if (corsOrigins.length > 0) await app.register(cors, { origin: [...corsOrigins], ...CORS });
  await app.register(swagger, OPENAPI);
  const wrongKeys = openWrongKeys(context.logger, settings.wrongKeysPerMinute);
  authenticate(app, { ...context, wrongKeys });
  await app.register(rateLimit, {
    max: settings.requestsPerMinute,
    timeWindow: "1 minute",
    keyGenerator: (request) => (request.caller === null ? request.ip : nameOf(request)),
    errorResponseBuilder: (_, { ttl }) =>
      new Problem(429, "too_many_requests", "too many requests with this key; try again later", {
        retryAfterSeconds: Math.ceil(ttl / 1000),
      }),
  });
  keepIdempotent(app, context);
  await app.register(async (scope) => {
    openAll(scope);
    await scope.register(swaggerUi, { routePrefix: "/docs", staticCSP: true });
  });
  app.get("/openapi.json", { config: { access: "open" }, schema: { hide: true } }, () =>
    app.swagger(),
  );
  app.get("/health", { config: { access: "open" }, schema: { hide: true } }, async () => {
    await context.database.query("SELECT 1");
    return { status: "up" };
  });
  const access = watchAccess(context);
  app.addHook("preClose", async () => access.stop());
  const routeContext = {
    ...context,
    readRates: ratesReader(),
    changeHold: gatherRequests(context.holdDatabase, context.now, settings.defaultOverdraft),
    defaultOverdraft: settings.defaultOverdraft,
    heavyReads: openHeavyReads(context.heavyDatabase),
    exports: openHeavyReads(context.heavyDatabase, EXPORTS),
    sendCsv: openCsvAnswers(app, access),
    access,
    wrongKeys,
    streamsPerAccount: settings.streamsPerAccount,
  };
  for (const register of ROUTES) register(app, routeContext);
  const { database, now, usage, dashboardDir } = context;
  await app.register(ingestRoutes, { ...usage, now, readFeeds: feedReader(database, now) });
  serveRoot(app, dashboardDir !== null);
  if (dashboardDir !== null) await serveDashboard(app, dashboardDir);
  return app;
}

const CORS = {
  methods: ["GET", "POST", "PATCH", "PUT", "DELETE"],
  exposedHeaders: ["Content-Disposition", "ETag", "Idempotency-Replayed", "Retry-After"],
};
