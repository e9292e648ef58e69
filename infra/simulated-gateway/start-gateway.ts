import fastify, { type FastifyInstance } from "fastify";
import { createLogger, type Logger } from "../../shared/runtime/logger.ts";
import { InvalidSettings } from "../../shared/runtime/settings.ts";
import { addErrorAnswers } from "./error-answers.ts";
import { addRoutes } from "./routes.ts";
import { settleProcessing } from "./settle-processing.ts";
import { openStore } from "./store.ts";
import { paymentTaker } from "./take-payments.ts";
import { NO_WEBHOOKS, openWebhooks, type WebhookOptions } from "./webhooks.ts";

const MOST_BODY_BYTES = 64 * 1024;
/** An id has at most 256 characters, each at most 12 when percent-encoded. */
const MOST_PARAM_LENGTH = 256 * 12;
/** Bounds memory: each connection has one request in progress. */
const MOST_CONNECTIONS = 1_024;
const KEYS_KEPT_MS = 24 * 60 * 60_000;
/** An idle connection is closed. */
const IDLE_MS = 5_000;
const CLOSE_WITHIN_MS = 1_000;

export interface GatewayOptions {
  /** The store's folder, which keeps all charges. */
  readonly dataDir: string;
  /** 0, the default, means any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Delays each answer to a charge, after the charge is durable. */
  readonly latencyMs?: number;
  /** How long idempotency keys are remembered, in milliseconds; a day by default, as at Stripe. */
  readonly keysKeptMs?: number;
  readonly webhooks?: WebhookOptions;
  readonly logger?: Logger;
}

export interface SimulatedGateway {
  readonly url: string;
  readonly port: number;
  /** Answers what it can immediately, and cuts off requests that its cards leave unanswered. */
  close(): Promise<void>;
}

/** Starts a payment gateway that takes no money. Throws InvalidSettings in production. */
export async function startSimulatedGateway(options: GatewayOptions): Promise<SimulatedGateway> {
  refuseProduction();
  const { port = 0, host = "127.0.0.1", latencyMs = 0 } = options;
  const logger = options.logger ?? createLogger("simulated-gateway", "silent");
  const stopping = new AbortController();
  const store = openStore(options.dataDir, options.keysKeptMs ?? KEYS_KEPT_MS);
  const webhooks =
    options.webhooks === undefined ? NO_WEBHOOKS : openWebhooks(options.webhooks, logger);
  const processing = settleProcessing(store, webhooks);
  const taker = paymentTaker({ store, webhooks, processing, latencyMs, stopping: stopping.signal });

  const app = fastify({
    bodyLimit: MOST_BODY_BYTES,
    routerOptions: { maxParamLength: MOST_PARAM_LENGTH },
    forceCloseConnections: "idle",
    // Clients hear of it, and keep connections no longer: one that has gone silent is used no more soon.
    keepAliveTimeout: IDLE_MS,
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  addErrorAnswers(app, (error) => logger.error({ err: error }, "a request failed"));
  addRoutes(app, { store, webhooks, taker });

  async function close(): Promise<void> {
    stopping.abort();
    await closeServer(app);
    processing.stop();
    webhooks.close();
    store.close();
  }

  try {
    const url = await app.listen({ port, host });
    processing.start();
    return { url, port: portOf(app), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function refuseProduction(): void {
  if (process.env["NODE_ENV"] !== "production") return;
  throw new InvalidSettings(
    "The simulated payment gateway takes no money and does not run where NODE_ENV is production: use a real gateway there.",
  );
}

/** Lets requests in progress finish, then cuts off the rest (cards that never answer). */
async function closeServer(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_WITHIN_MS);
  await app.close();
  clearTimeout(cut);
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  if (typeof address !== "object" || address === null) throw new Error("the gateway has no port");
  return address.port;
}
