import { z } from "zod";
import { LOT_SOURCES } from "../core/month/grant-credits.ts";
import { noun } from "./noun.ts";
import { credits, instant } from "./wire.ts";

export const lotSource = z.enum(LOT_SOURCES);

/** Who requested a lot. */
export const grantedBy = z.string().nullable().meta({
  description: "Who requested the lot, as `posted_by` of its entry. null: Drawdown itself.",
});

/** Credits added together. */
export const grantedLotFields = {
  lot_id: z.string(),
  source: lotSource,
  reference: z.string(),
  credits,
  start: credits.meta({ description: "Where its stretch of the line begins." }),
  end: credits,
  granted_at: instant,
  expires_at: instant.nullable(),
};

/** A lot with what became of its credits. */
export const lotFields = {
  ...grantedLotFields,
  used: credits,
  expired: credits,
  withdrawn: credits,
  remaining: credits,
};

export const lot = noun(lotFields).meta({ title: "Lot" });

export type LotData = z.input<typeof lot>;
