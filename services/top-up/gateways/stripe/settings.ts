import { z } from "zod";
import { optional } from "../../../../shared/runtime/settings.ts";
import type { GatewayKind } from "../payment-gateway.ts";
import { MINIMUM_CHARGES } from "./minimum-charges.ts";

export const stripe: GatewayKind<"STRIPE_SECRET_KEY" | "STRIPE_WEBHOOK_SECRET", "STRIPE_URL"> = {
  environment: {
    STRIPE_SECRET_KEY: optional("With `stripe`: the secret key"),
    STRIPE_WEBHOOK_SECRET: optional("With `stripe`: the secret that signs its webhooks"),
  },
  optionalEnvironment: {
    STRIPE_URL: z
      .url({ protocol: /^https?$/ })
      .refine(keepsSecrets, "must begin with https://, unless it is on this machine")
      .optional()
      .describe(
        "With `stripe`: another server with its API, such as stripe-mock or a recorder; Stripe's own by default",
      ),
  },
  isSimulated: false,
  minimumCharges: MINIMUM_CHARGES,
  async open({
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    STRIPE_URL: url,
  }) {
    // Stripe's library is large, so it is loaded only when used.
    const { openStripeGateway } = await import("./gateway.ts");
    return openStripeGateway({ secretKey, webhookSecret, ...(url === undefined ? {} : { url }) });
  },
};

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The secret key goes with every request. */
function keepsSecrets(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || LOOPBACK.test(hostname);
}
