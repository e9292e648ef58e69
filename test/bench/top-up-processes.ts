import { rm } from "node:fs/promises";
import { join } from "node:path";
import { SIMULATED_GATEWAY, TOP_UP_SERVICE } from "../../infra/local/services.ts";
import { startService } from "../support/processes/service-process.ts";

/** The top-up service as `npm start` runs it. */
export const TOP_UP_ARGS = [...(TOP_UP_SERVICE.nodeOptions ?? []), TOP_UP_SERVICE.file];

const GATEWAY_DATA = join(import.meta.dirname, "../../.local/bench/gateway");

/** The simulated gateway as a separate process. */
export interface Gateway {
  /** The top-up service's settings for it. */
  readonly settings: NodeJS.ProcessEnv;
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a gateway that has charged nothing yet. It sends no webhooks: they come before the answer
 * where that takes `latencyMs`, and the lot would not wait for it.
 */
export async function startGateway(env: NodeJS.ProcessEnv, latencyMs: number): Promise<Gateway> {
  await rm(GATEWAY_DATA, { recursive: true, force: true });
  const settings = {
    ...{ SIMULATED_GATEWAY_DATA: GATEWAY_DATA, SIMULATED_GATEWAY_PORT: "0", LOG_LEVEL: "info" },
    SIMULATED_GATEWAY_LATENCY_MS: latencyMs.toString(),
  };
  const service = startService(SIMULATED_GATEWAY, { ...env, ...settings }, "development");
  const { port } = await service.says(/^simulated gateway$/);
  const url = `http://127.0.0.1:${Number(port)}`;
  return {
    url,
    settings: {
      PAYMENT_GATEWAY: "simulated",
      SIMULATED_GATEWAY_URL: url,
      SIMULATED_GATEWAY_WEBHOOK_SECRET: "whsec_bench",
      WEBHOOK_PORT: "0",
    },
    async stop() {
      await service.kill();
    },
  };
}
