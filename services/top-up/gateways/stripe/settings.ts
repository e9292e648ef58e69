import { optional } from "../../../../shared/runtime/settings.ts";
import type { GatewayKind } from "../payment-gateway.ts";

export const stripe: GatewayKind<"STRIPE_SECRET_KEY" | "STRIPE_WEBHOOK_SECRET"> = {
  environment: {
    STRIPE_SECRET_KEY: optional("With `stripe`: the secret key"),
    STRIPE_WEBHOOK_SECRET: optional("With `stripe`: what its webhooks are signed with"),
  },
  isSimulated: false,
  async open({ STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret }) {
    // Stripe's library is large; only a service that charges with it loads it.
    const { openStripeGateway } = await import("./gateway.ts");
    return openStripeGateway({ secretKey, webhookSecret });
  },
};
