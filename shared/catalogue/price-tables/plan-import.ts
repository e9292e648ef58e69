import type { Instant } from "../../core/line/account.ts";
import { MAX_BIGINT } from "../../core/line/credit-line.ts";
import { type MeterTerms, termsOf, unitPriceOf } from "../../core/offer/catalogue-terms.ts";
import { mayCount } from "../../core/offer/month-price.ts";
import type { MeterVersion, RateCard, StatedRate } from "../../core/offer/rate-card.ts";
import type { RateSource } from "../../core/offer/rate-origin.ts";
import { commonPer } from "../../core/offer/rate-table.ts";
import { findTies } from "../../core/offer/rate-ties.ts";
import type {
  Place,
  RequestedCatalogue,
  RequestedVersion,
} from "../../core/offer/requested-catalogue.ts";
import { patternsText } from "../../core/offer/why-no-rate.ts";
import type { Problem } from "../problem.ts";
import { type ComparedRate, compareRates, type RateChanges } from "./compare-rates.ts";
import { exactText } from "./exact-number.ts";
import { listProblems, type ProblemList } from "./list-problems.ts";
import { nameOf } from "./name-pattern.ts";
import { type Band, NO_BAND } from "./price-row.ts";
import { isWithin } from "./select-rows.ts";
import type { TableRate } from "./to-rates.ts";

/** The terms of an import that its rates do not have. */
export interface ImportTerms {
  /** Patterns of provider/model; none: everything. */
  readonly only: readonly string[];
  /** When the rates begin; null: as early as possible. */
  readonly from: Instant | null;
  readonly source: RateSource;
}

/** A rate that exists. What it leaves open is `*`. */
export interface ExistingRate extends ComparedRate {
  readonly stated: StatedRate;
}

/** What an import changes of one meter. */
export interface MeterPlan {
  readonly meter: string;
  /** The version that it is compared with; null: there is none. */
  readonly base: MeterVersion | null;
  readonly changes: RateChanges<ExistingRate, TableRate>;
  /** How many rates outside of the patterns go on. */
  readonly kept: number;
}

export interface ImportPlan {
  readonly meters: readonly MeterPlan[];
  /** The versions to add; none if there are problems. */
  readonly requested: RequestedCatalogue;
  readonly problems: readonly Problem[];
}

/** What the rates of an import depend on. */
const DIMENSIONS = ["provider", "model"];

/**
 * Plans the versions of meters that an import adds to those of `card`, whose rates have their origins. A version has
 * all rates of the table; outside of the patterns it keeps those of the version before. Where no price changes there
 * is no version.
 */
export function planImport(
  rates: readonly TableRate[],
  card: RateCard,
  terms: ImportTerms,
): ImportPlan {
  const problems = listProblems();
  const meters: MeterPlan[] = [];
  const requested: (readonly [string, RequestedVersion<MeterTerms>])[] = [];
  for (const [meter, ofTable] of Map.groupBy(rates, ({ kind }) => kind)) {
    const planned = planMeter(meter, ofTable, { card, terms, problems });
    if (planned === null) continue;
    meters.push(planned.plan);
    if (planned.requested !== null) requested.push([meter, planned.requested]);
  }
  const refused = problems.all();
  const versions =
    refused.length > 0 ? [] : requested.map(([meter, one]) => [meter, [one]] as const);
  return { meters, requested: { ...NOTHING, meters: new Map(versions) }, problems: refused };
}

const NOTHING: RequestedCatalogue = {
  ...{ meters: new Map(), plans: new Map(), addOns: new Map(), creditPrices: new Map() },
  names: [],
};

interface Planning {
  readonly card: RateCard;
  readonly terms: ImportTerms;
  readonly problems: ProblemList;
}

/** `requested` null: nothing changes. Null: it was told why there is no plan. */
function planMeter(
  meter: string,
  ofTable: readonly TableRate[],
  { card, terms: { only, from, source }, problems }: Planning,
): { readonly plan: MeterPlan; readonly requested: RequestedVersion<MeterTerms> | null } | null {
  const base = versionBefore(card, meter, from);
  const place = placeOf(ofTable, meter);
  const existing = existingRates(base);
  if (typeof existing === "string") {
    problems.add(place.line, place.field, existing);
    return null;
  }
  const isKept = (rate: ExistingRate) => only.length > 0 && !isWithin(only, nameOf(rate));
  const kept = existing.filter(isKept);
  const ended = existing.filter((rate) => !isKept(rate));
  const changes = compareRates(ended, ofTable);
  const plan = { meter, base, changes, kept: kept.length };
  if (changes.unchanged === ofTable.length && changes.gone.length === 0) {
    return { plan, requested: null };
  }
  const stated = [
    ...kept.map((rate) => rate.stated),
    ...ofTable.map((rate) => toStated(rate, source)),
  ];
  const tie = tieProblem(stated);
  if (tie !== null) problems.add(place.line, place.field, tie);
  const odd = withoutCommonPer(kept, ofTable);
  if (odd !== null) {
    const { line, field } = odd.listPrice.place;
    problems.add(line, field, "has units that have no common multiple with those of the others");
  }
  const fed = base?.feed === undefined ? {} : { feed: base.feed };
  return {
    plan,
    requested: { from, terms: { dimensions: DIMENSIONS, rates: stated, ...fed }, place },
  };
}

/** The version in force where the import's begins; without an instant, the newest. Versions are newest first. */
function versionBefore(card: RateCard, meter: string, from: Instant | null): MeterVersion | null {
  const at = from ?? Number.POSITIVE_INFINITY;
  return card.get(meter)?.find(({ validFrom }) => validFrom <= at) ?? null;
}

/** A version's rates by provider and model, or why they are none. */
function existingRates(version: MeterVersion | null): ExistingRate[] | string {
  if (version === null) return [];
  const { meter } = version;
  if (mayCount(version))
    return `the meter ${meter} counts the usage of a month, which rates do not`;
  const terms = termsOf(version);
  const { dimensions, rates } =
    "rates" in terms ? terms : { dimensions: [], rates: [{ patterns: [], ...unitPriceOf(terms) }] };
  const other = dimensions.find((name) => !DIMENSIONS.includes(name));
  if (other !== undefined) {
    return `the meter ${meter} has rates by ${dimensions.join(", ")}, of which ${other} is not one of ${DIMENSIONS.join(", ")}`;
  }
  return rates.map((rate: StatedRate): ExistingRate => {
    const patterns = DIMENSIONS.map((name) => rate.patterns[dimensions.indexOf(name)] ?? null);
    const [provider, model] = patterns;
    return {
      ...{
        kind: meter,
        provider: provider ?? "*",
        model: model ?? "*",
        band: countedBy(rate.band),
      },
      ...{ ...unitPriceOf(rate), stated: { ...rate, patterns } },
    };
  });
}

/** The dimension of events that has their request's tokens, which bands of the context count. */
const CONTEXT = "context_tokens";

/** What an existing band counts, in the words of a table. */
function countedBy(band: StatedRate["band"]): ExistingRate["band"] {
  if (band === undefined) return NO_BAND;
  const { of, from } = band;
  if (of === null) return { of: "quantity", from };
  return { of: of === CONTEXT ? "context" : `dimension ${of}`, from };
}

function toBand({ of, from }: Band): Pick<StatedRate, "band"> {
  if (from === 0n) return {};
  return { band: { of: of === "context" ? CONTEXT : null, from } };
}

function toStated(rate: TableRate, source: RateSource): StatedRate {
  const { provider, model, band, credits, per, listPrice, markup } = rate;
  const origin = {
    ...{ listPrice: exactText(listPrice.price), listPer: listPrice.per },
    ...{ markup: exactText(markup.factor), source },
  };
  return { patterns: [provider, model], ...toBand(band), credits, per, origin };
}

/** Rates that are kept may tie once one between them is gone. */
function tieProblem(rates: readonly StatedRate[]): string | null {
  const [tie] = findTies(rates);
  if (tie === undefined) return null;
  const [one, other] = [tie.at, tie.other].map((at) =>
    patternsText(DIMENSIONS, rates[at]?.patterns ?? []),
  );
  return `its rates for ${one} and ${other}, which are kept, may match the same events once what both have in common is gone`;
}

/** The first rate whose units have no multiple in 64 bits that is one of those before it, too. */
function withoutCommonPer(kept: readonly ExistingRate[], ofTable: readonly TableRate[]) {
  let common = { credits: 0n, per: commonPer(kept) };
  for (const rate of ofTable) {
    common = { credits: 0n, per: commonPer([common, rate]) };
    if (common.per > MAX_BIGINT) return rate;
  }
  return null;
}

function placeOf([first]: readonly TableRate[], meter: string): Place {
  return { line: first?.listPrice.place.line ?? 0, field: meter };
}
