import { z } from "zod";
import { noun } from "./noun.ts";
import { accountId, credits } from "./wire.ts";

/** The result of a grant or an adjustment. */
export const granted = noun({
  account_id: accountId,
  lot_id: z.string().nullable(),
  credits,
  balance: credits,
}).meta({ title: "Grant result" });
