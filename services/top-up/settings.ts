import { z } from "zod";
import type { Ceilings } from "../../shared/core/payments/charge-limits.ts";
import { port, readEnvironment } from "../../shared/runtime/settings.ts";
import { requireChargeable, TOP_UP_CEILINGS } from "./ceilings-setting.ts";
import {
  type ChosenGateway,
  chooseGateway,
  gatewayEnvironment,
  kindOf,
} from "./gateways/open-gateway.ts";

/** The top-up service's settings, in addition to those of every service. */
export const environment = z.object({
  ...gatewayEnvironment,
  TOP_UP_CEILINGS,
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
  /** By currency. */
  readonly ceilings: ReadonlyMap<string, Ceilings>;
  readonly webhooks: { readonly host: string; readonly port: number };
  readonly alarmAfterMs: number;
}

/** Throws InvalidSettings. */
export function readPaymentSettings(env: NodeJS.ProcessEnv): PaymentSettings {
  const set = readEnvironment(environment, env);
  const { minimumCharges } = kindOf(set.PAYMENT_GATEWAY);
  requireChargeable(set.TOP_UP_CEILINGS, { name: set.PAYMENT_GATEWAY, minimumCharges });
  return {
    gateway: chooseGateway(set.PAYMENT_GATEWAY, set),
    ceilings: set.TOP_UP_CEILINGS,
    webhooks: { host: set.WEBHOOK_HOST, port: set.WEBHOOK_PORT },
    alarmAfterMs: set.PAYMENT_ALARM_SECONDS * 1000,
  };
}
