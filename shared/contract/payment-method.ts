import { z } from "zod";
import type { AccountId } from "../core/line/account.ts";
import { noun } from "./noun.ts";
import { accountId, instant } from "./wire.ts";

export const paymentMethodFields = {
  account_id: accountId,
  payment_method: noun({
    set: z.boolean(),
    customer: z.string().nullable().meta({ description: "The payment gateway's id of the payer." }),
    method: z
      .string()
      .nullable()
      .meta({ description: "The payment gateway's id of the saved card; never a card's number." }),
    set_by: z.string().nullable(),
    set_at: instant.nullable(),
    removed_by: z
      .string()
      .nullable()
      .meta({ description: "Who removed the last one, while there is no other; null: nobody." }),
    removed_at: instant.nullable(),
  }).meta({ title: "Payment method" }),
};

/** The payment method of an account. */
export const paymentMethod = noun(paymentMethodFields).meta({
  title: "Account payment method",
});

interface StoredMethod {
  readonly customer: string;
  readonly method: string;
  readonly setBy: string;
  readonly setAt: number;
}

interface MethodRemoval {
  readonly removedBy: string;
  readonly removedAt: number;
}

const NO_METHOD = { customer: null, method: null, setBy: null, setAt: null };
const NOT_REMOVED = { removedBy: null, removedAt: null };

/** `state` null: the account never had one. */
export function toPaymentMethod(id: AccountId, state: StoredMethod | MethodRemoval | null) {
  const set = state !== null && "method" in state;
  return { accountId: id, paymentMethod: { set, ...NO_METHOD, ...NOT_REMOVED, ...state } };
}
