import { logSays, startChild } from "../../../infra/local/child-process.ts";
import { createPart, type Part } from "../../../infra/local/part.ts";

/** How long an answer takes once its charge is on the disk: long enough to be killed in between. */
export const ANSWERS_AFTER_MS = 200;

export interface GatewayOptions {
  /** The file of the simulated gateway that Node runs. */
  readonly file: string;
  /** Keeps its store and its log. */
  readonly dataDir: string;
  readonly port: number;
  readonly webhooks: { readonly url: string; readonly secret: string };
  readonly env: Readonly<Record<string, string>>;
  readonly note: (line: string) => void;
}

/** The simulated gateway as a process of its own. What it charged, it knows after kill -9 as well. */
export function gatewayPart(options: GatewayOptions): Part {
  const { file, dataDir, port, webhooks } = options;
  const command = {
    name: "gateway",
    command: process.execPath,
    args: [file, dataDir],
    dataDir,
    env: {
      ...options.env,
      SIMULATED_GATEWAY_DATA: dataDir,
      SIMULATED_GATEWAY_PORT: String(port),
      SIMULATED_GATEWAY_LATENCY_MS: String(ANSWERS_AFTER_MS),
      SIMULATED_GATEWAY_WEBHOOK_URL: webhooks.url,
      SIMULATED_GATEWAY_WEBHOOK_SECRET: webhooks.secret,
    },
  };
  const isReady = (log: string) => logSays(log, '"msg":"simulated gateway"');
  return createPart("gateway", () => startChild(command, isReady, READY_WITHIN_MS), options.note);
}

const READY_WITHIN_MS = 20_000;
