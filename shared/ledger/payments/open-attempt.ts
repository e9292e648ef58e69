import type { Instant } from "../../core/line/account.ts";
import type { Settlement } from "../../core/month/settle.ts";
import type { Decline } from "../../core/payments/decline.ts";
import type { PaymentStatus } from "../../core/payments/payment.ts";
import type { SettledAccount } from "../books/move-account.ts";
import type { LockedPayment } from "./payments.ts";

/** The final outcome of a payment's attempt. */
export type PaymentOutcome =
  | { readonly kind: "succeeded"; readonly gatewayPayment: string }
  | {
      readonly kind: "declined";
      readonly gatewayPayment: string | null;
      readonly decline: Decline;
    };

/** A pending payment that is locked, the outcome of its attempt, and its account. */
export interface OpenAttempt extends LockedPayment {
  readonly outcome: PaymentOutcome;
  readonly settled: SettledAccount;
}

/** The new state of a payment, and the change of its account. */
export interface PaymentEnd {
  readonly status: PaymentStatus;
  readonly reason: string;
  /** When to call the gateway again; null: never. */
  readonly nextTryAt: Instant | null;
  readonly step: Settlement | null;
}
