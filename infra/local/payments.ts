import { randomBytes } from "node:crypto";
import { reservePort } from "./reserve-port.ts";
import { SIMULATED_GATEWAY } from "./services.ts";
import type { Service } from "./supervise-services.ts";

/** The local payment gateway's services, and the settings of the top-up service. */
interface LocalPayments {
  readonly services: readonly Service[];
  readonly env: Readonly<Record<string, string>>;
}

const PREFERRED = { gateway: 8090, webhooks: 8095 };

/**
 * The simulated payment gateway, unless another gateway is set or this is production: then there is
 * none, and the top-up service reports missing settings. Ports stay reserved while this process runs.
 */
export async function localPayments(
  env: NodeJS.ProcessEnv,
  options: { readonly dataDir: string; readonly ports?: typeof PREFERRED },
): Promise<LocalPayments> {
  if ((env["PAYMENT_GATEWAY"] ?? "") !== "" || env["NODE_ENV"] === "production") {
    return { services: [], env: {} };
  }
  const { ports = PREFERRED } = options;
  const gateway = (await reservePort(ports.gateway)).port;
  const webhooks = (await reservePort(ports.webhooks)).port;
  const secret = `whsec_${randomBytes(24).toString("hex")}`;
  return {
    services: [SIMULATED_GATEWAY],
    env: {
      PAYMENT_GATEWAY: "simulated",
      SIMULATED_GATEWAY_URL: `http://127.0.0.1:${gateway}`,
      SIMULATED_GATEWAY_PORT: String(gateway),
      SIMULATED_GATEWAY_DATA: options.dataDir,
      SIMULATED_GATEWAY_WEBHOOK_URL: `http://127.0.0.1:${webhooks}/webhooks/payments`,
      SIMULATED_GATEWAY_WEBHOOK_SECRET: secret,
      WEBHOOK_PORT: String(webhooks),
    },
  };
}
