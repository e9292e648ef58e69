import { z } from "zod";
import { readEnvironment } from "../../shared/runtime/settings.ts";
import type { GatewayOptions } from "./start-gateway.ts";

const LONGEST_LATENCY_MS = 60_000;

const environment = z
  .object({
    SIMULATED_GATEWAY_DATA: z.string(),
    SIMULATED_GATEWAY_HOST: z.string().default("127.0.0.1"),
    SIMULATED_GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(8090),
    SIMULATED_GATEWAY_LATENCY_MS: z.coerce.number().int().min(0).max(LONGEST_LATENCY_MS).default(0),
    SIMULATED_GATEWAY_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
    SIMULATED_GATEWAY_WEBHOOK_SECRET: z.string().optional(),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  })
  .refine((env) => env.SIMULATED_GATEWAY_WEBHOOK_URL === undefined || hasSecret(env), {
    path: ["SIMULATED_GATEWAY_WEBHOOK_SECRET"],
  });

export interface GatewaySettings {
  readonly gateway: GatewayOptions;
  readonly logLevel: string;
}

/** Reads the gateway's own settings, which the README beside lists; throws InvalidSettings. */
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
