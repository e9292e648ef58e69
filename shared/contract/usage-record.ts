import { z } from "zod";
import { overlapOf, type Stretch } from "../core/line/credit-line.ts";
import type { GrantedLot } from "../core/month/grant-credits.ts";
import type { Rate } from "../core/offer/rate-card.ts";
import { rateAsStated, unitRateFields } from "./catalogue.ts";
import { grantedBy, lotSource } from "./lot.ts";
import { noun } from "./noun.ts";
import { count, credits, instant } from "./wire.ts";

/** A metered event. */
export const usageRecordFields = {
  event_id: z.string(),
  meter: z.string(),
  quantity: count,
  credits,
  occurred_at: instant,
  source: z.string(),
  dimensions: z.record(z.string(), z.string()),
  start: credits.meta({ description: "Where on the account's line it began to draw." }),
  end: credits,
  metered_at: instant,
};

export const usageRecord = noun(usageRecordFields).meta({ title: "Usage record" });

/** A page of the usage that a lot paid for. */
export const usageOfLot = noun({
  items: z.array(usageRecord),
  next_cursor: z.string().nullable(),
  past_retention: credits.meta({
    description: "What the lot paid of usage that is past retention, whose events are not listed.",
  }),
}).meta({ title: "Usage of a lot" });

/** A metered event, and the lots that paid for it: those that its stretch overlaps, and expired ones. */
export const explainedUsage = noun({
  ...usageRecordFields,
  partition: z.number().int().meta({ description: "Where in Kafka it was read." }),
  offset: count,
  lots: z
    .array(
      noun({ lot_id: z.string(), source: lotSource, credits, granted_by: grantedBy }).meta({
        title: "Paying lot",
      }),
    )
    .meta({
      description:
        "Oldest first. A lot that had expired gave credits back to an event that occurred before its end.",
    }),
  owed: credits.meta({ description: "What of it no lot has paid yet." }),
  rate: noun({ valid_from: instant, ...unitRateFields })
    .meta({ title: "Rate of an event" })
    .nullable()
    .meta({
      description:
        "The rate that priced it: of the meter's version in force when it occurred, the one for its dimensions and band. null: none is known.",
    }),
}).meta({ title: "Explained usage" });

interface PayingLot extends GrantedLot {
  readonly grantedBy: string | null;
}

export function toUsageRecord<Metered extends { readonly drawn: Stretch }>(metered: Metered) {
  return { ...metered, ...metered.drawn };
}

/**
 * `across`: the lots that its stretch overlaps; `expired`: those that had expired, with what each paid;
 * `rate`: what priced it, null: nothing known.
 */
export function toExplainedUsage<
  Metered extends { readonly drawn: Stretch; readonly credits: bigint },
>(
  metered: Metered,
  { across, expired }: Readonly<Record<"across" | "expired", readonly PayingLot[]>>,
  rate: Rate | null,
) {
  const drawn = across
    .map((lot) => ({ ...lot, credits: overlapOf(lot, metered.drawn) }))
    .filter((paid) => paid.credits > 0n);
  const lots = [...expired, ...drawn];
  const owed = lots.reduce((left, paid) => left - paid.credits, metered.credits);
  const pricedBy = rate && { validFrom: rate.validFrom, ...rateAsStated(rate) };
  return { ...toUsageRecord(metered), lots, owed, rate: pricedBy };
}

export type UsageRecordData = z.input<typeof usageRecord>;

export type UsageOfLotData = z.input<typeof usageOfLot>;

export type ExplainedUsageData = z.input<typeof explainedUsage>;
