import { z } from "zod";
import { noun } from "./noun.ts";
import { accountId, credits } from "./wire.ts";

/** What a grant or an adjustment has come to. */
export const granted = noun({
  account_id: accountId,
  lot_id: z.string().nullable(),
  credits,
  balance: credits,
});
