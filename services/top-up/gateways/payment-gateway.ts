import type { z } from "zod";
import type { Decline } from "../../../shared/core/payments/decline.ts";

/** One attempt to charge a payment. Sent again, the same request charges nothing more. */
export interface ChargeRequest {
  /** The attempt's idempotency key at the gateway, by which it is found again. */
  readonly key: string;
  readonly accountId: string;
  readonly paymentId: string;
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  /** The gateway's ids of the payer and the payment method. */
  readonly customer: string;
  readonly method: string;
  /** When the payment was stored in the books, before it reached the gateway (milliseconds). */
  readonly createdAt: number;
}

/** The terms of a charge, as the gateway has them. */
export type ChargeMade = Pick<ListedCharge, "amount" | "currency" | "createdAt">;

/** The state of a charge at the gateway. `made`: of one that is found, or answered for a key that was used before. */
export type ChargeState =
  | { readonly kind: "succeeded"; readonly gatewayPayment: string; readonly made?: ChargeMade }
  | { readonly kind: "declined"; readonly gatewayPayment: string | null; readonly decline: Decline }
  /** In progress: ask again later. */
  | { readonly kind: "processing"; readonly gatewayPayment: string; readonly made?: ChargeMade };

/** A refund, or a chargeback by the customer's bank. */
export interface TakenBack {
  /** The gateway's id of the refund or chargeback. */
  readonly gatewayId: string;
  /** The refund's key; null if it was made at the gateway itself. */
  readonly key: string | null;
  readonly kind: "refund" | "chargeback";
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
}

export interface RefundRequest {
  /** Identifies the refund at the gateway, as a charge's key does. */
  readonly key: string;
  readonly gatewayPayment: string;
  readonly amount: bigint;
}

/** The gateway refuses a refund. */
export interface RefundRefused {
  readonly kind: "refused";
  /** A sentence. */
  readonly reason: string;
}

/** A charge at the gateway that succeeded or is in progress. */
export interface ListedCharge extends PaymentNamed {
  readonly key: string;
  readonly gatewayPayment: string;
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  /** When it was made at the gateway (milliseconds). */
  readonly createdAt: number;
}

/** The payment that a webhook or a charge is about. */
export interface PaymentNamed {
  readonly accountId: string;
  readonly paymentId: string;
}

/**
 * The outcome of a call is unknown: it timed out, its connection broke, or the gateway failed. The
 * request may have succeeded, so ask (`find`) before anything else.
 */
export class OutcomeUnknown extends Error {}

/** The webhook is forged or too old, and must have no effect. */
export class WebhookRefused extends Error {}

/** A payment gateway. Every call ends within its time limit, and throws OutcomeUnknown if it fails. */
export interface PaymentGateway {
  /** Its name in `PAYMENT_GATEWAY`, stored with each payment. */
  readonly name: string;
  /** The header with its webhooks' signature, in lower case. */
  readonly signatureHeader: string;
  /** The interval between listings of charges, in milliseconds. */
  readonly listEveryMs: number;
  /** Charges without the customer present. The same request again charges nothing more. */
  charge(request: ChargeRequest): Promise<ChargeState>;
  /** The current state of a charge, found by its key; null if the gateway has none. */
  find(request: ChargeRequest): Promise<ChargeState | null>;
  /** The current state of a charge, by its id at the gateway. */
  stateOf(gatewayPayment: string): Promise<ChargeState>;
  /** All refunds and chargebacks of a payment, except chargebacks that were won. */
  takenBack(gatewayPayment: string): Promise<readonly TakenBack[]>;
  refund(request: RefundRequest): Promise<TakenBack | RefundRefused>;
  /**
   * The charges made by `charge` in [since, until), in milliseconds, that were not declined. Read page
   * by page, so their number is not limited.
   */
  listCharges(since: number, until: number): AsyncIterable<ListedCharge>;
  /**
   * The payment that a webhook is about, after checking its signature and age; null if it is not ours.
   * It is only a hint to ask. Throws WebhookRefused. A refund or chargeback may name only the
   * gateway's id of the payment; then the gateway is asked which payment it is.
   */
  readWebhook(rawBody: Buffer, signature: string | undefined): Promise<PaymentNamed | null>;
}

/** A kind of gateway, as `PAYMENT_GATEWAY` chooses it. */
export interface GatewayKind<Name extends string = string, Optional extends string = never> {
  /** Its settings; it requires all of them. */
  readonly environment: Readonly<Record<Name, z.ZodType<string | undefined>>>;
  /** Settings that may be left out. */
  readonly optionalEnvironment?: Readonly<Record<Optional, z.ZodType<string | undefined>>>;
  /** It takes no money: it is refused in production, and beside the settings of a real one. */
  readonly isSimulated: boolean;
  /** Its minimum charges, by currency, in minor units; in other currencies 1 minor unit is allowed. */
  readonly minimumCharges: ReadonlyMap<string, bigint>;
  open(
    set: Readonly<Record<Name, string>> & { readonly [Key in Optional]?: string },
  ): Promise<PaymentGateway>;
}
