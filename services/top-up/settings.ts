import { z } from "zod";
import { port, readEnvironment } from "../../shared/runtime/settings.ts";
import { type ChosenGateway, chooseGateway, gatewayEnvironment } from "./gateways/open-gateway.ts";

/** The top-up service's settings, in addition to those of every service. */
export const environment = z.object({
  ...gatewayEnvironment,
  WEBHOOK_HOST: z.string().default("127.0.0.1").describe("Where webhooks are received"),
  WEBHOOK_PORT: port(8095).describe("Their port; the path is `/webhooks/payments`"),
  PAYMENT_ALARM_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .default(600)
    .describe("A payment whose outcome is still unknown by then is logged as an error"),
});

export interface PaymentSettings {
  readonly gateway: ChosenGateway;
  readonly webhooks: { readonly host: string; readonly port: number };
  readonly alarmAfterMs: number;
}

/** Throws InvalidSettings. */
export function readPaymentSettings(env: NodeJS.ProcessEnv): PaymentSettings {
  const set = readEnvironment(environment, env);
  return {
    gateway: chooseGateway(set.PAYMENT_GATEWAY, set),
    webhooks: { host: set.WEBHOOK_HOST, port: set.WEBHOOK_PORT },
    alarmAfterMs: set.PAYMENT_ALARM_SECONDS * 1000,
  };
}
