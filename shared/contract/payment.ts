import { z } from "zod";
import { isAutomatic, type Payment } from "../core/payments/payment.ts";
import { cursorsOf, INSTANT, type PageRequest, pageFromFirst, pageOf, TEXT } from "./cursor.ts";
import { noun } from "./noun.ts";
import { accountId, credits, instant, money } from "./wire.ts";

/** A top-up or a fee. */
export const paymentFields = {
  payment_id: z.string(),
  kind: z.enum(["top_up", "fee"]),
  status: z.enum(["pending", "retrying", "succeeded", "failed", "invoiced"]),
  amount: money,
  currency: z.string(),
  credits: credits.nullable().meta({ description: "What it adds once paid; null: nothing." }),
  automatic: z.boolean(),
  subscription_number: z.number().int().nullable().meta({ description: "null for a top-up." }),
  plan_id: z.string().nullable(),
  period: z.number().int().nullable().meta({ description: "The first month that a fee pays." }),
  periods: z.number().int().nullable(),
  attempt: z.number().int().meta({ description: "Counts from 1." }),
  reason: z.string().meta({ description: "In words a customer can read." }),
  created_at: instant,
  requested_by: z.string().nullable().meta({
    description: "null: nobody, it was automatic; gateway: restored from a charge there.",
  }),
};

export const payment = noun(paymentFields).meta({ title: "Payment" });

export const paymentOfAccountFields = {
  ...paymentFields,
  refunded: money.meta({ description: "What went back by refunds and chargebacks." }),
};

/** A payment in the list of its account. */
export const paymentOfAccount = noun(paymentOfAccountFields).meta({
  title: "Payment of an account",
});

/** A payment in the list of all accounts. */
export const listedPayment = noun({
  account_id: accountId,
  ...paymentOfAccountFields,
  gateway_payment: z
    .string()
    .nullable()
    .meta({ description: "The gateway's id of the last attempt; null: it was never there." }),
}).meta({ title: "Listed payment" });

export function toPayment(made: Payment) {
  const { requestedBy = null } = made;
  return made.kind === "fee"
    ? {
        ...{ ...made, requestedBy, automatic: true, subscriptionNumber: made.number },
        credits: made.brings?.credits ?? null,
      }
    : { ...made, requestedBy, ...NO_FEE, automatic: isAutomatic(made) };
}

const NO_FEE = { subscriptionNumber: null, planId: null, period: null, periods: null };

/** A page of payments, or of top-ups only, newest first. `readFirst` returns the first `count` of them. */
export async function paymentPage(
  request: PageRequest,
  kind: "top_up" | null,
  readFirst: (count: number) => Promise<readonly Refundable[]>,
) {
  const list = kind === null ? "payments" : "top-ups";
  return pageFromFirst(list, request, async (count) =>
    (await readFirst(count)).map(toPaymentOfAccount),
  );
}

type Refundable = Payment & { readonly refunded: bigint };
type Listed = Refundable & { readonly gatewayPayment: string | null };

export function toPaymentOfAccount(made: Refundable) {
  return { ...toPayment(made), refunded: made.refunded };
}

export function toListedPayment(listed: Listed) {
  return { ...toPaymentOfAccount(listed), gatewayPayment: listed.gatewayPayment };
}

const allPayments = cursorsOf("all-payments", [INSTANT, TEXT, TEXT]);

/** A page of the payments of all accounts, newest first. `read` returns those after the payment `last`. */
export async function allPaymentsPage(
  { limit, cursor }: PageRequest,
  read: (
    limit: number,
    last: { createdAt: number; accountId: string; paymentId: string } | null,
  ) => Promise<readonly Listed[]>,
) {
  const position = allPayments.read(cursor);
  const [createdAt, account = "", paymentId = ""] = position ?? [];
  const last =
    position === null ? null : { createdAt: Number(createdAt), accountId: account, paymentId };
  const payments = await read(limit + 1, last);
  return pageOf(payments.map(toListedPayment), limit, (shown) =>
    allPayments.of(shown.createdAt, shown.accountId, shown.paymentId),
  );
}

export type PaymentData = z.input<typeof payment>;
export type PaymentOfAccountData = z.input<typeof paymentOfAccount>;
