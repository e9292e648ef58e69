import { z } from "zod";
import { overlapOf, type Stretch } from "../core/line/credit-line.ts";
import type { GrantedLot } from "../core/month/grant-credits.ts";
import type { ExplainedRate } from "../core/offer/explained-rate.ts";
import { isOwnRate } from "../core/offer/rate-card.ts";
import type { EventLine } from "../core/usage/event-lines.ts";
import { rateAsStated, rateSource, unitRateFields } from "./catalogue.ts";
import { grantedBy, lotSource } from "./lot.ts";
import { noun } from "./noun.ts";
import { percent } from "./own-terms.ts";
import { valuesByName } from "./values-by-name.ts";
import { count, credits, instant, totalQuantity } from "./wire.ts";

/** A metered event, or one of the meters of an event that has several. */
export const usageRecordFields = {
  event_id: z.string(),
  meter: z.string(),
  quantity: count,
  credits,
  occurred_at: instant,
  source: z.string(),
  dimensions: valuesByName(z.string()),
  start: credits.meta({ description: "Where on the account's line it began to draw." }),
  end: credits,
  metered_at: instant,
  hold_id: z.string().nullable().meta({ description: "The hold that it names; null: none." }),
  hold_used: z.boolean().nullable().meta({
    description:
      "Whether that hold took it; false: it had ended, or the account had none of that name. null: it names none, or that is not known, as in books that were built again.",
  }),
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

const ownTermsOfEvent = noun({
  meter: z.string().nullable(),
  valid_from: instant,
  discount: percent.nullable(),
  reason: z.string(),
  set_by: z.string(),
})
  .meta({ title: "Own terms of an event" })
  .nullable()
  .meta({
    description:
      "The account's own terms that held, for its meter or for all (null); their rates may have left it to the list. null: none held.",
  });

const rateOfEvent = noun({
  valid_from: instant,
  ...unitRateFields,
  priced_by: z.enum(["list", "discount", "own_rate"]),
  list: noun(unitRateFields)
    .meta({ title: "List rate" })
    .nullable()
    .meta({ description: "The list's rate for the event; null: the list has none." }),
  own: ownTermsOfEvent,
  counted: noun({
    month: instant.meta({ description: "Its first instant, in UTC." }),
    from: totalQuantity.meta({ description: "What the month's usage was before this." }),
    to: totalQuantity,
  })
    .meta({
      title: "Counted usage",
      description: "Under tiers or packages of a month, which of its units these were.",
    })
    .optional(),
  source: rateSource.optional(),
})
  .meta({ title: "Rate of an event" })
  .nullable()
  .meta({
    description:
      "The rate that priced it: of the meter's version in force when it occurred, the one for its dimensions and band, and what the account pays of it. null: none is known.",
  });

const usageLine = noun({
  meter: z.string(),
  quantity: count,
  credits,
  rate: rateOfEvent,
}).meta({ title: "Usage line" });

/** A metered event, and the lots that paid for it: those that its stretch overlaps, and expired ones. */
export const explainedUsage = noun({
  ...usageRecordFields,
  credits: credits.meta({ description: "Of all of its lines." }),
  lines: z.array(usageLine).meta({
    description: "What each of its meters cost: `meter` first, then those of `quantities` by name.",
  }),
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
  rate: rateOfEvent,
}).meta({ title: "Explained usage" });

interface PayingLot extends GrantedLot {
  readonly grantedBy: string | null;
}

export function toUsageRecord<Metered extends { readonly drawn: Stretch }>(metered: Metered) {
  return { ...metered, ...metered.drawn };
}

/** A line of a metered event. */
interface MeteredLine extends EventLine {
  readonly credits: bigint;
}

interface MeteredUsage extends MeteredLine {
  readonly drawn: Stretch;
  readonly lines: readonly MeteredLine[];
}

/**
 * `across`: the lots that its stretch overlaps; `expired`: those that had expired, with what each paid;
 * `rates`: what priced each of its lines, null: nothing known.
 */
export function toExplainedUsage<Metered extends MeteredUsage>(
  metered: Metered,
  { across, expired }: Readonly<Record<"across" | "expired", readonly PayingLot[]>>,
  rates: readonly (ExplainedRate | null)[],
) {
  const drawn = across
    .map((lot) => ({ ...lot, credits: overlapOf(lot, metered.drawn) }))
    .filter((paid) => paid.credits > 0n);
  const lots = [...expired, ...drawn];
  const owed = lots.reduce((left, paid) => left - paid.credits, metered.credits);
  const lines = metered.lines.map(({ meter, quantity, credits }, at) => {
    const rate = toRateOfEvent(rates[at] ?? null);
    return { meter, quantity, credits, rate };
  });
  return { ...toUsageRecord(metered), lines, lots, owed, rate: lines[0]?.rate ?? null };
}

/** With what the list's was imported from. */
function toRateOfEvent(explained: ExplainedRate | null) {
  if (explained === null) return null;
  const { rate, pricedBy, list } = explained;
  return {
    ...{ validFrom: rate.validFrom, ...rateAsStated(rate), pricedBy },
    list: list && rateAsStated(list),
    own: isOwnRate(rate) ? rate.of.own : null,
    source: list?.stated?.origin?.source,
    counted: explained.counted,
  };
}

export type UsageRecordData = z.input<typeof usageRecord>;

export type UsageOfLotData = z.input<typeof usageOfLot>;

export type ExplainedUsageData = z.input<typeof explainedUsage>;
