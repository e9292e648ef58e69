import { z } from "zod";
import type { AccountId } from "../core/line/account.ts";
import { noun } from "./noun.ts";
import { accountId, instant } from "./wire.ts";

export const invoicingFields = {
  account_id: accountId,
  elsewhere: z.boolean().meta({
    description: "true: plan fees are not charged here, as the seller invoices them.",
  }),
  set_by: z.string().nullable(),
  set_at: instant.nullable(),
};

/** Who collects an account's plan fees: Drawdown through the gateway, or the seller by an invoice. */
export const invoicing = noun(invoicingFields).meta({ title: "Invoicing" });

interface InvoicedElsewhere {
  readonly setBy: string;
  readonly setAt: number;
}

/** `stored` null: not invoiced elsewhere. */
export function toInvoicing(id: AccountId, stored: InvoicedElsewhere | null) {
  return {
    accountId: id,
    elsewhere: stored !== null,
    setBy: stored?.setBy ?? null,
    setAt: stored?.setAt ?? null,
  };
}
