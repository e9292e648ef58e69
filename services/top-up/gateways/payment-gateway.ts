import type { z } from "zod";
import type { Decline } from "../../../shared/core/payments/decline.ts";

/** One attempt to take money: the same request, however often it is sent, takes it once. */
export interface ChargeRequest {
  /** Identifies the attempt at the gateway: its idempotency key, and what it is found by. */
  readonly key: string;
  readonly accountId: string;
  readonly paymentId: string;
  /** In the currency's minor unit; above 0. */
  readonly amount: bigint;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  /** Who pays, and with what, by the gateway's ids. */
  readonly customer: string;
  readonly method: string;
  /** When the payment was made in the books; it is not at the gateway before (milliseconds). */
  readonly createdAt: number;
}

/** What the gateway says of a charge. */
export type ChargeState =
  | { readonly kind: "succeeded"; readonly gatewayPayment: string }
  | { readonly kind: "declined"; readonly gatewayPayment: string | null; readonly decline: Decline }
  /** Under way at the gateway: ask again later. */
  | { readonly kind: "processing"; readonly gatewayPayment: string };

/** Money that went back: by a refund, or because the customer's bank took it (a chargeback). */
export interface TakenBack {
  /** The gateway's id of the refund or chargeback. */
  readonly gatewayId: string;
  /** The key that the refund was asked for with; null where it was made at the gateway itself. */
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

/** A refund that the gateway will not make, and why, in a sentence. */
export interface RefundRefused {
  readonly kind: "refused";
  readonly reason: string;
}

/** A charge that has taken money or is about to, as the gateway lists it. */
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
 * The outcome of a call is not known: it timed out, its connection broke, or the gateway failed.
 * What was asked for may have happened. Ask (`find`) before anything else.
 */
export class OutcomeUnknown extends Error {}

/** The webhook is not the gateway's, or too old: nothing may follow from it. */
export class WebhookRefused extends Error {}

/** What takes the money. Every call ends within its time limit; what fails throws OutcomeUnknown. */
export interface PaymentGateway {
  /** As `PAYMENT_GATEWAY` names it; kept with each payment. */
  readonly name: string;
  /** The header that its webhooks are signed in, in small letters. */
  readonly signatureHeader: string;
  /** How long to leave between two listings of the charges, in milliseconds. */
  readonly listEveryMs: number;
  /** Takes the money, off session. The same request again takes nothing more. */
  charge(request: ChargeRequest): Promise<ChargeState>;
  /** What became of a charge, asked for by its key, as the gateway knows it now; null: it knows of none. */
  find(request: ChargeRequest): Promise<ChargeState | null>;
  /** All that went back of a payment so far. A chargeback that was won is not among it. */
  takenBack(gatewayPayment: string): Promise<readonly TakenBack[]>;
  refund(request: RefundRequest): Promise<TakenBack | RefundRefused>;
  /**
   * The charges made in [since, until), in milliseconds, that were not declined; page by page, so that
   * any number may be. Those that were not made by `charge` are not among them.
   */
  listCharges(since: number, until: number): AsyncIterable<ListedCharge>;
  /**
   * Which payment a webhook is about, once its signature and its age are checked against the raw
   * body; null: about none of ours. It is a hint to ask, never the truth. Throws WebhookRefused.
   * Refunds and chargebacks may name the payment by the gateway's id alone: then the gateway is asked.
   */
  readWebhook(rawBody: Buffer, signature: string | undefined): Promise<PaymentNamed | null>;
}

/** A kind of gateway, as `PAYMENT_GATEWAY` chooses it. */
export interface GatewayKind<Name extends string = string> {
  /** What it reads from the environment; it needs all of it. */
  readonly environment: Readonly<Record<Name, z.ZodType<string | undefined>>>;
  /** It takes no money: it is refused in production, and beside what a real one reads. */
  readonly isSimulated: boolean;
  open(set: Readonly<Record<Name, string>>): Promise<PaymentGateway>;
}
