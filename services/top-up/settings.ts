import { z } from "zod";
import { InvalidSettings, optional, port, readEnvironment } from "../../shared/runtime/settings.ts";

/** What the top-up service reads from the environment besides what every service does. */
export const environment = z.object({
  NODE_ENV: optional("`production` refuses the simulated gateway"),
  PAYMENT_GATEWAY: z
    .enum(["simulated", "stripe"])
    .describe("What takes the money; `npm start` runs the simulated gateway unless it is set"),
  SIMULATED_GATEWAY_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("With `simulated`: where it is"),
  SIMULATED_GATEWAY_WEBHOOK_SECRET: optional("With `simulated`: what its webhooks are signed with"),
  STRIPE_SECRET_KEY: optional("With `stripe`: the secret key"),
  STRIPE_WEBHOOK_SECRET: optional("With `stripe`: what its webhooks are signed with"),
  WEBHOOK_HOST: z.string().default("127.0.0.1").describe("Where webhooks are received"),
  WEBHOOK_PORT: port(8095).describe("The port for them; the path is `/webhooks/payments`"),
  PAYMENT_ALARM_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .default(600)
    .describe("A payment whose outcome is still unknown by then is logged as an error"),
});

export type GatewaySettings =
  | { readonly kind: "stripe"; readonly secretKey: string; readonly webhookSecret: string }
  | { readonly kind: "simulated"; readonly url: string; readonly webhookSecret: string };

export interface PaymentSettings {
  readonly gateway: GatewaySettings;
  readonly webhooks: { readonly host: string; readonly port: number };
  readonly alarmAfterMs: number;
}

/**
 * Reads how money is taken. There is no default gateway, and the simulated one is refused wherever it
 * could stand in for a real one by mistake. Throws InvalidSettings.
 */
export function readPaymentSettings(env: NodeJS.ProcessEnv): PaymentSettings {
  const set = readEnvironment(environment, env);
  return {
    gateway: set.PAYMENT_GATEWAY === "stripe" ? stripe(set) : simulated(set),
    webhooks: { host: set.WEBHOOK_HOST, port: set.WEBHOOK_PORT },
    alarmAfterMs: set.PAYMENT_ALARM_SECONDS * 1000,
  };
}

type Set = z.infer<typeof environment>;

function stripe({ STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET }: Set): GatewaySettings {
  if (STRIPE_SECRET_KEY === undefined || STRIPE_WEBHOOK_SECRET === undefined) {
    throw new InvalidSettings(
      "PAYMENT_GATEWAY is stripe, which needs STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.",
    );
  }
  return {
    kind: "stripe",
    secretKey: STRIPE_SECRET_KEY,
    webhookSecret: STRIPE_WEBHOOK_SECRET,
  };
}

function simulated(set: Set): GatewaySettings {
  if (set.NODE_ENV === "production") {
    throw new InvalidSettings(
      "PAYMENT_GATEWAY is simulated, which takes no money and is refused where NODE_ENV is production: use stripe there.",
    );
  }
  if (set.STRIPE_SECRET_KEY !== undefined || set.STRIPE_WEBHOOK_SECRET !== undefined) {
    throw new InvalidSettings(
      "PAYMENT_GATEWAY is simulated, but STRIPE_SECRET_KEY or STRIPE_WEBHOOK_SECRET is set: choose one gateway.",
    );
  }
  const url = set.SIMULATED_GATEWAY_URL;
  const webhookSecret = set.SIMULATED_GATEWAY_WEBHOOK_SECRET;
  if (url === undefined || webhookSecret === undefined) {
    throw new InvalidSettings(
      "PAYMENT_GATEWAY is simulated, which needs SIMULATED_GATEWAY_URL and SIMULATED_GATEWAY_WEBHOOK_SECRET.",
    );
  }
  return { kind: "simulated", url, webhookSecret };
}
