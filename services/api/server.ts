import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import swagger, { type FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
} from "fastify-type-provider-zod";
import type { Logger } from "../../shared/runtime/logger.ts";
import { authenticate } from "./access/authenticate.ts";
import { keepIdempotent } from "./idempotency.ts";
import { answerProblems, Problem } from "./problem.ts";
import { balanceRoutes } from "./routes/balance.ts";
import type { RouteParts } from "./routes/parts.ts";
import type { ApiSettings } from "./settings.ts";

const BODY_BYTES = 1024 * 1024;
const REQUEST_WITHIN_MS = 30_000;

/** Builds the API's server; it does not listen yet. */
export async function buildServer(
  parts: RouteParts & { readonly logger: Logger },
  settings: Pick<ApiSettings, "corsOrigins" | "requestsPerMinute" | "trustedProxies">,
): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = parts.logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_WITHIN_MS,
    routerOptions: { maxParamLength: 1_000 },
    ...(settings.trustedProxies === undefined ? {} : { trustProxy: settings.trustedProxies }),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerProblems(app);

  await app.register(helmet, { contentSecurityPolicy: CONTENT_POLICY });
  const { corsOrigins } = settings;
  if (corsOrigins.length > 0) await app.register(cors, { origin: [...corsOrigins] });
  await app.register(swagger, { openapi: OPENAPI, transform: jsonSchemaTransform });
  authenticate(app, parts);
  await app.register(rateLimit, {
    max: settings.requestsPerMinute,
    timeWindow: "1 minute",
    keyGenerator: (request) => request.headers.authorization ?? request.ip,
    errorResponseBuilder: (_, { ttl }) =>
      new Problem(429, "too_many_requests", "this key has asked too often; ask again later", {
        retryAfterSeconds: Math.ceil(ttl / 1000),
      }),
  });
  keepIdempotent(app, parts);
  await app.register(swaggerUi, { routePrefix: "/docs" });
  app.get("/openapi.json", { config: { access: "open" }, schema: { hide: true } }, () =>
    app.swagger(),
  );
  for (const routes of [balanceRoutes]) routes(app, parts);
  return app;
}

const CONTENT_POLICY = {
  directives: { defaultSrc: ["'self'"], styleSrc: ["'self'"], scriptSrc: ["'self'"] },
} as const;

const OPENAPI: NonNullable<FastifyDynamicSwaggerOptions["openapi"]> = {
  openapi: "3.1.0",
  info: {
    title: "Drawdown",
    version: "1",
    description:
      "Prepaid credits: what is left, what it was spent on, and what adds to it. Credits are micro-credits and money is in minor units, both as decimal strings. Errors are RFC 9457 problem documents. A POST with an Idempotency-Key is done once.",
  },
  components: {
    securitySchemes: { key: { type: "http", scheme: "bearer" } },
  },
  security: [{ key: [] }],
};
