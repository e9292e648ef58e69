import { optional } from "../../../../shared/runtime/settings.ts";
import type { GatewayKind } from "../payment-gateway.ts";
import { MINIMUM_CHARGES } from "./minimum-charges.ts";

export const stripe: GatewayKind<"STRIPE_SECRET_KEY" | "STRIPE_WEBHOOK_SECRET"> = {
  environment: {
    STRIPE_SECRET_KEY: optional("With `stripe`: the secret key"),
    STRIPE_WEBHOOK_SECRET: optional("With `stripe`: the secret that signs its webhooks"),
  },
  isSimulated: false,
  minimumCharges: MINIMUM_CHARGES,
  async open({ STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret }) {
    // Stripe's library is large, so it is loaded only when used.
    const { openStripeGateway } = await import("./gateway.ts");
    return openStripeGateway({ secretKey, webhookSecret });
  },
};
