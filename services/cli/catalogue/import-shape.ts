import { z } from "zod";
import type { LeftOut } from "../../../shared/catalogue/price-tables/collect-rows.ts";
import { exactText } from "../../../shared/catalogue/price-tables/exact-number.ts";
import type {
  ExistingRate,
  ImportPlan,
  MeterPlan,
} from "../../../shared/catalogue/price-tables/plan-import.ts";
import { NO_BAND, type RateKey } from "../../../shared/catalogue/price-tables/price-row.ts";
import type { TableRate } from "../../../shared/catalogue/price-tables/to-rates.ts";
import { noun } from "../../../shared/contract/noun.ts";
import { count, credits, instant } from "../../../shared/contract/wire.ts";
import type { MeterTerms } from "../../../shared/core/offer/catalogue-terms.ts";
import type { Change } from "../../../shared/core/offer/change-catalogue.ts";
import type { RateSource } from "../../../shared/core/offer/rate-origin.ts";
import type { Planned } from "../../../shared/ledger/catalogue/apply.ts";

/** What is told of the file beside its rates. */
export interface ToldOfFile {
  readonly leftOut: readonly LeftOut[];
  readonly source: RateSource;
}

const price = noun({ credits, per: count }).nullable();

/** What an import changes, for programs: all of it. */
export const rateImport = noun({
  outcome: z.enum(["unchanged", "would_apply", "applied"]),
  file: z.string(),
  format: z.string(),
  sha256: z.string(),
  meters: z.array(
    noun({
      meter: z.string(),
      change: z.enum(["added", "new_version", "completed", "unchanged"]),
      valid_from: instant,
      ...{ added: z.int(), dearer: z.int(), cheaper: z.int(), gone: z.int() },
      ...{ unchanged: z.int(), kept: z.int() },
    }),
  ),
  changes: z.array(
    noun({
      change: z.enum(["added", "dearer", "cheaper", "gone"]),
      ...{ meter: z.string(), provider: z.string(), model: z.string() },
      /** Where its band begins: of the event's quantity, or its context's tokens; null: at 0. */
      band: noun({ of: z.string(), from: count }).nullable(),
      ...{ before: price, after: price },
      list_price: noun({ price: z.string(), currency: z.string(), per: count }).nullable(),
      markup: z.string().nullable(),
    }),
  ),
  left_out: z.array(noun({ key: z.string(), count: z.int(), first_line: z.int() })),
});

export function toRateImport(
  planned: Planned<ImportPlan>,
  outcome: "would_apply" | "applied",
  { leftOut, source }: ToldOfFile,
) {
  const { file, format, sha256 } = source;
  return {
    outcome: planned.plan.requested.meters.size === 0 ? ("unchanged" as const) : outcome,
    ...{ file, format, sha256 },
    meters: importedMeters(planned).map(({ plan, change, validFrom }) => ({
      ...{ meter: plan.meter, change, validFrom },
      ...countsOf(plan),
    })),
    changes: changedRates(planned.plan).map(({ before, after, ...change }) => ({
      ...{ ...change, before, after },
      listPrice: after && {
        ...{ price: exactText(after.listPrice.price), currency: after.listPrice.currency },
        per: after.listPrice.per,
      },
      markup: after && exactText(after.markup.factor),
    })),
    leftOut,
  };
}

/** A meter of an import, and since when its version holds or will. */
export interface ImportedMeter {
  readonly plan: MeterPlan;
  readonly change: Change<MeterTerms>["kind"];
  readonly validFrom: number;
}

export function importedMeters({ plan, decision }: Planned<ImportPlan>): ImportedMeter[] {
  const changes = decision.kind === "changes" ? decision.changes.meters : [];
  const byMeter = new Map(changes.map((change) => [change.id, change]));
  return plan.meters.map((of) => {
    const change = byMeter.get(of.meter);
    const validFrom = change?.validFrom ?? of.base?.validFrom ?? 0;
    return { plan: of, change: change?.kind ?? "unchanged", validFrom };
  });
}

export function countsOf({ changes, kept }: MeterPlan) {
  const { added, dearer, cheaper, gone, unchanged } = changes;
  return {
    ...{ added: added.length, dearer: dearer.length, cheaper: cheaper.length },
    ...{ gone: gone.length, unchanged, kept },
  };
}

/** A rate that changes. */
export interface ChangedRate {
  readonly change: "added" | "dearer" | "cheaper" | "gone";
  readonly meter: string;
  readonly provider: string;
  readonly model: string;
  readonly band: RateKey["band"] | null;
  readonly before: ExistingRate | null;
  readonly after: TableRate | null;
}

/** All rates that change, meter by meter. */
export function changedRates({ meters }: ImportPlan): ChangedRate[] {
  return meters.flatMap(({ meter, changes: { added, dearer, cheaper, gone } }) => {
    const changed = (
      change: ChangedRate["change"],
      before: ExistingRate | null,
      after: TableRate | null,
    ): ChangedRate => {
      const { provider = "", model = "", band = NO_BAND } = after ?? before ?? {};
      const banded = band.from === 0n ? null : band;
      return { change, meter, provider, model, band: banded, before, after };
    };
    return [
      ...added.map((after) => changed("added", null, after)),
      ...dearer.map(({ before, after }) => changed("dearer", before, after)),
      ...cheaper.map(({ before, after }) => changed("cheaper", before, after)),
      ...gone.map((before) => changed("gone", before, null)),
    ];
  });
}
