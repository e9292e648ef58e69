import { z } from "zod";
import { optional } from "../../../../shared/runtime/settings.ts";
import type { GatewayKind } from "../payment-gateway.ts";
import { MINIMUM_CHARGES } from "../stripe/minimum-charges.ts";
import { openSimulatedGateway } from "./gateway.ts";

export const simulated: GatewayKind<"SIMULATED_GATEWAY_URL" | "SIMULATED_GATEWAY_WEBHOOK_SECRET"> =
  {
    environment: {
      SIMULATED_GATEWAY_URL: z
        .url({ protocol: /^https?$/ })
        // fetch refuses such a URL, in an error that shows the password.
        .refine((url) => !url.includes("@"), "must not have a user or password")
        .optional()
        .describe("With `simulated`: its address"),
      SIMULATED_GATEWAY_WEBHOOK_SECRET: optional(
        "With `simulated`: the secret that signs its webhooks",
      ),
    },
    isSimulated: true,
    // It stands in for Stripe.
    minimumCharges: MINIMUM_CHARGES,
    open: async ({ SIMULATED_GATEWAY_URL: url, SIMULATED_GATEWAY_WEBHOOK_SECRET: webhookSecret }) =>
      openSimulatedGateway({ url, webhookSecret }),
  };
