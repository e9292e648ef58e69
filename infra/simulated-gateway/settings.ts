import { z } from "zod";
import { logLevel, optional, port, readEnvironment, whole } from "../../shared/runtime/settings.ts";
import type { GatewayOptions } from "./start-gateway.ts";

const LONGEST_LATENCY_MS = 60_000;
const KEYS_KEPT_SECONDS = 86_400;

export const environment = z
  .object({
    SIMULATED_GATEWAY_DATA: z
      .string()
      .describe("The folder of its store, which keeps every charge; one process at a time"),
    SIMULATED_GATEWAY_HOST: z.string().default("127.0.0.1").describe("Where it listens"),
    SIMULATED_GATEWAY_PORT: port(8090).describe("0 means any free port, which is logged"),
    SIMULATED_GATEWAY_LATENCY_MS: whole(0, LONGEST_LATENCY_MS, 0).describe(
      "Delay of each answer to a charge, after the charge is durable",
    ),
    SIMULATED_GATEWAY_KEYS_KEPT_SECONDS: whole(0, KEYS_KEPT_SECONDS, KEYS_KEPT_SECONDS).describe(
      "How long it remembers an idempotency key; a day, as Stripe does. Later, the same request charges again",
    ),
    SIMULATED_GATEWAY_WEBHOOK_URL: z
      .url({ protocol: /^https?$/ })
      // fetch refuses such a URL, in an error that shows the password.
      .refine((url) => !url.includes("@"), "must not have a user or password")
      .optional()
      .describe("Where webhooks are sent; without it, none are sent"),
    SIMULATED_GATEWAY_WEBHOOK_SECRET: optional(
      "The secret that signs them, as Stripe does; required with the URL",
    ),
    LOG_LEVEL: logLevel,
  })
  .refine((env) => env.SIMULATED_GATEWAY_WEBHOOK_URL === undefined || hasSecret(env), {
    path: ["SIMULATED_GATEWAY_WEBHOOK_SECRET"],
    message: "is not set, and SIMULATED_GATEWAY_WEBHOOK_URL is",
  });

export interface GatewaySettings {
  readonly gateway: GatewayOptions;
  readonly logLevel: string;
}

/** Throws InvalidSettings. */
export function readGatewaySettings(env: NodeJS.ProcessEnv): GatewaySettings {
  const set = readEnvironment(environment, env);
  const url = set.SIMULATED_GATEWAY_WEBHOOK_URL;
  const secret = set.SIMULATED_GATEWAY_WEBHOOK_SECRET;
  return {
    gateway: {
      dataDir: set.SIMULATED_GATEWAY_DATA,
      host: set.SIMULATED_GATEWAY_HOST,
      port: set.SIMULATED_GATEWAY_PORT,
      latencyMs: set.SIMULATED_GATEWAY_LATENCY_MS,
      keysKeptMs: set.SIMULATED_GATEWAY_KEYS_KEPT_SECONDS * 1_000,
      ...(url === undefined || secret === undefined ? {} : { webhooks: { url, secret } }),
    },
    logLevel: set.LOG_LEVEL,
  };
}

function hasSecret(env: { SIMULATED_GATEWAY_WEBHOOK_SECRET?: string | undefined }): boolean {
  return env.SIMULATED_GATEWAY_WEBHOOK_SECRET !== undefined;
}
