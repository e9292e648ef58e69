import { z } from "zod";
import { InvalidSettings, readEnvironment } from "../../shared/runtime/settings.ts";

const origins = z
  .string()
  .default("")
  .transform((list) => list.split(",").map((origin) => origin.trim()))
  .transform((all) => all.filter((origin) => origin !== ""))
  .pipe(z.array(z.url({ protocol: /^https?$/ })));

const environment = z.object({
  API_HOST: z.string().default("127.0.0.1"),
  API_PORT: z.coerce.number().int().min(0).max(65_535).default(8088),
  API_CORS_ORIGINS: origins,
  API_EMBED_ORIGINS: origins,
  API_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).default(60_000),
  API_REQUEST_SECONDS: z.coerce.number().min(1).default(30),
  API_TRUSTED_PROXIES: z.string().optional(),
});

export interface ApiSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Origins of pages that may ask from a browser; none by default. */
  readonly corsOrigins: readonly string[];
  /** Origins of pages that may show the dashboard in a frame; none by default. */
  readonly embedOrigins: readonly string[];
  /** Of each key or token. */
  readonly requestsPerMinute: number;
  /** A request that has not come whole by then is given up. */
  readonly requestWithinMs: number;
  /** Addresses, separated by commas, whose X-Forwarded-For is believed. */
  readonly trustedProxies: string | undefined;
}

/** Throws InvalidSettings. */
export function readApiSettings(env: NodeJS.ProcessEnv): ApiSettings {
  const set = readEnvironment(environment, env);
  return {
    host: set.API_HOST,
    port: set.API_PORT,
    corsOrigins: set.API_CORS_ORIGINS,
    embedOrigins: set.API_EMBED_ORIGINS,
    requestsPerMinute: set.API_REQUESTS_PER_MINUTE,
    requestWithinMs: set.API_REQUEST_SECONDS * 1000,
    trustedProxies: set.API_TRUSTED_PROXIES,
  };
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Others can reach it: it is refused where nobody has a key. */
export function refuseOpenToOthers(host: string, hasKeys: boolean): void {
  if (hasKeys || LOOPBACK.test(host)) return;
  throw new InvalidSettings(
    `API_HOST is ${host}, which others can reach, but there is no API key: make one with drawdown key create, or listen on 127.0.0.1.`,
  );
}
