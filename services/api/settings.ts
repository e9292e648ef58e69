import { isIP } from "node:net";
import { z } from "zod";
import type { MicroCredits } from "../../shared/core/line/credit-line.ts";
import { UNLIMITED } from "../../shared/core/line/overdraft.ts";
import { parseCredits } from "../../shared/core/text/credits-text.ts";
import { port, readEnvironment, whole } from "../../shared/runtime/settings.ts";

/** As browsers send it: with more than an origin, such as a slash at its end, it would never be the same. */
const origin = z.string().transform((text, context) => {
  const url = URL.parse(text);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (isOrigin) return url.origin;
  context.addIssue("must be origins such as https://app.example.com, separated by commas");
  return z.NEVER;
});

const origins = z
  .string()
  .default("")
  .transform((list) => list.split(",").map((each) => each.trim()))
  .transform((all) => all.filter((each) => each !== ""))
  .pipe(z.array(origin));

const overdraft = z
  .string()
  .optional()
  .transform((text, context) => {
    if (text === undefined || text === "") return null;
    if (text === "none") return 0n;
    if (text === "unlimited") return UNLIMITED;
    try {
      return parseCredits(text);
    } catch (error) {
      context.addIssue((error as Error).message);
      return z.NEVER;
    }
  });

/** Names that Fastify knows for networks. */
const NETWORKS = ["loopback", "linklocal", "uniquelocal"];
const WHOLE_PREFIX = new Map([
  [4, 32],
  [6, 128],
]);

/** An address, or one with a prefix's length or a mask, or a name. */
function isNetwork(text: string): boolean {
  if (NETWORKS.includes(text)) return true;
  const [address = "", range, ...more] = text.split("/");
  const most = WHOLE_PREFIX.get(isIP(address));
  if (most === undefined || more.length > 0) return false;
  if (range === undefined) return true;
  if (/^\d{1,3}$/.test(range)) return Number(range) >= 1 && Number(range) <= most;
  return most === 32 && isIP(range) === 4;
}

/** The API's settings, in addition to those of every service. */
export const environment = z.object({
  API_HOST: z
    .string()
    .default("127.0.0.1")
    .describe(
      "Where the API listens; on a host other than the local one it waits until an API key exists",
    ),
  API_PORT: port(8088).describe("0 means any free port"),
  API_CORS_ORIGINS: origins.describe(
    "Origins, separated by commas, whose pages may call the API; none by default",
  ),
  API_EMBED_ORIGINS: origins.describe(
    "Origins whose pages may show the dashboard in a frame; none by default",
  ),
  API_REQUESTS_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .default(60_000)
    .describe(
      "Limit for each key, and for all tokens of an account together; beyond it, requests are answered 429",
    ),
  API_WRONG_KEYS_PER_MINUTE: whole(1, 1_000_000, 30).describe(
    "Beyond as many wrong keys or tokens from an address, its unknown ones are answered 429",
  ),
  API_STREAMS_PER_ACCOUNT: whole(1, 10_000, 100).describe(
    "Streams of an account that a process keeps open; beyond it, requests are answered 429",
  ),
  API_REQUEST_SECONDS: z.coerce
    .number()
    .min(1)
    .max(3_600)
    .default(30)
    .describe("A request that has not arrived completely by then is answered 408"),
  API_DEFAULT_OVERDRAFT: overdraft.describe(
    "How far below zero holds and allowances may go, of accounts without an overdraft of their own: credits, `none` or `unlimited`; by default holds go down to zero, and allowances trust auto top-up beyond",
  ),
  API_TRUSTED_PROXIES: z
    .string()
    .optional()
    .refine(
      (list) => list === undefined || list.split(",").every((each) => isNetwork(each.trim())),
      "must be addresses such as 10.0.0.7 or 10.0.0.0/8, separated by commas",
    )
    .describe("Addresses, separated by commas, whose `X-Forwarded-For` is trusted"),
});

export interface ApiSettings {
  readonly host: string;
  readonly port: number;
  readonly corsOrigins: readonly string[];
  readonly embedOrigins: readonly string[];
  readonly requestsPerMinute: number;
  readonly wrongKeysPerMinute: number;
  readonly streamsPerAccount: number;
  readonly requestWithinMs: number;
  /** Null: none is set. */
  readonly defaultOverdraft: MicroCredits | null;
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
    wrongKeysPerMinute: set.API_WRONG_KEYS_PER_MINUTE,
    streamsPerAccount: set.API_STREAMS_PER_ACCOUNT,
    requestWithinMs: Math.round(set.API_REQUEST_SECONDS * 1000),
    defaultOverdraft: set.API_DEFAULT_OVERDRAFT,
    trustedProxies: set.API_TRUSTED_PROXIES,
  };
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Whether other hosts can reach the API, so that it may listen only once an API key exists. */
export function isPublic(host: string): boolean {
  return !LOOPBACK.test(host);
}
