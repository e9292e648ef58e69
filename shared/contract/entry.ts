import { z } from "zod";
import type { Entry } from "../core/line/account.ts";
import { balanceOf } from "../core/line/credit-line.ts";
import { noun } from "./noun.ts";
import { count, credits, instant } from "./wire.ts";

/** A posted movement that is not usage. */
export const entry = noun({
  sequence: count,
  kind: z.enum(["grant", "expiry", "add_on_charge", "adjustment", "reversal"]),
  credits: credits.meta({ description: "What it did to the balance, signed." }),
  balance: credits.meta({ description: "After it." }),
  used_before: credits.meta({ description: "Usage between the entry before it and this one." }),
  lot_id: z.string().nullable(),
  reference: z.string(),
  due_at: instant,
  posted_at: instant,
});

export function toEntry<Posted extends Entry>(posted: Posted) {
  return { ...posted, balance: balanceOf(posted) };
}

export type EntryData = z.input<typeof entry>;
