import { optional } from "../../../../shared/runtime/settings.ts";
import type { GatewayKind } from "../payment-gateway.ts";
import { openStripeGateway } from "./gateway.ts";

export const stripe: GatewayKind<"STRIPE_SECRET_KEY" | "STRIPE_WEBHOOK_SECRET"> = {
  environment: {
    STRIPE_SECRET_KEY: optional("With `stripe`: the secret key"),
    STRIPE_WEBHOOK_SECRET: optional("With `stripe`: what its webhooks are signed with"),
  },
  isSimulated: false,
  open: ({ STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET }) =>
    openStripeGateway({ secretKey: STRIPE_SECRET_KEY, webhookSecret: STRIPE_WEBHOOK_SECRET }),
};
