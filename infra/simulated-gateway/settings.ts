import { z } from "zod";
import { logLevel, optional, port, readEnvironment, whole } from "../../shared/runtime/settings.ts";
import type { GatewayOptions } from "./start-gateway.ts";

const LONGEST_LATENCY_MS = 60_000;

/** What the gateway reads from the environment. */
export const environment = z
  .object({
    SIMULATED_GATEWAY_DATA: z
      .string()
      .describe("The folder of its store, for one process at a time; it remembers every charge"),
    SIMULATED_GATEWAY_HOST: z.string().default("127.0.0.1").describe("Where it listens"),
    SIMULATED_GATEWAY_PORT: port(8090).describe("0 is any free port; the log says which"),
    SIMULATED_GATEWAY_LATENCY_MS: whole(0, LONGEST_LATENCY_MS, 0).describe(
      "Added to each answer to a charge, after the charge is durable",
    ),
    SIMULATED_GATEWAY_WEBHOOK_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("Where webhooks go; without it, nowhere"),
    SIMULATED_GATEWAY_WEBHOOK_SECRET: optional(
      "What they are signed with, as Stripe signs; required with the URL",
    ),
    LOG_LEVEL: logLevel,
  })
  .refine((env) => env.SIMULATED_GATEWAY_WEBHOOK_URL === undefined || hasSecret(env), {
    path: ["SIMULATED_GATEWAY_WEBHOOK_SECRET"],
  });

export interface GatewaySettings {
  readonly gateway: GatewayOptions;
  readonly logLevel: string;
}

/** Reads the gateway's own settings; throws InvalidSettings. */
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
      ...(url === undefined || secret === undefined ? {} : { webhooks: { url, secret } }),
    },
    logLevel: set.LOG_LEVEL,
  };
}

function hasSecret(env: { SIMULATED_GATEWAY_WEBHOOK_SECRET?: string | undefined }): boolean {
  return env.SIMULATED_GATEWAY_WEBHOOK_SECRET !== undefined;
}
