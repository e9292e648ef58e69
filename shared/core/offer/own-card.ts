import type { Instant } from "../line/account.ts";
import { MAX_BIGINT } from "../line/credit-line.ts";
import { type OwnTerms, ownTermsAt, WHOLE_DISCOUNT } from "./own-terms.ts";
import {
  type AccountCard,
  type AccountVersion,
  type MeterVersion,
  type OwnRate,
  type OwnVersion,
  type RateCard,
  type UnitPrice,
  versionInForce,
} from "./rate-card.ts";
import { commonPer, divisorOf, rateTable, type TableTerms } from "./rate-table.ts";

/**
 * What an account with own terms pays: for each meter a version from each instant on at which the list or its
 * terms change. Before its first terms it pays the list. A meter is looked at when it is first asked for, as
 * most accounts use few.
 */
export function ownCard(list: RateCard, terms: readonly OwnTerms[]): AccountCard {
  const known = new Map<string, readonly AccountVersion[]>();
  return {
    get(meter) {
      const before = known.get(meter);
      if (before !== undefined) return before;
      const ofList = list.get(meter);
      if (ofList === undefined) return undefined;
      const versions = versionsOf(meter, list, ofList, terms);
      known.set(meter, versions);
      return versions;
    },
  };
}

function versionsOf(
  meter: string,
  list: RateCard,
  ofList: readonly MeterVersion[],
  terms: readonly OwnTerms[],
): readonly AccountVersion[] {
  const ofMeter = terms.filter((one) => one.meter === null || one.meter === meter);
  const begins = new Set([...ofList, ...ofMeter].map(({ validFrom }) => validFrom));
  const newestFirst = [...begins].sort((a, b) => b - a);
  return newestFirst.flatMap((at) => {
    const version = versionInForce(list, meter, at);
    // Own terms begin with the list at the earliest.
    if (typeof version === "string") return [];
    const own = ownTermsAt(ofMeter, meter, at);
    return [own === null ? version : ownVersion(version, own, at)];
  });
}

function ownVersion(list: MeterVersion, terms: OwnTerms, validFrom: Instant): OwnVersion {
  const { accountId: _, pricing, ...named } = terms;
  const discount = pricing.kind === "discount" ? pricing.basisPoints : null;
  const rates =
    pricing.kind === "rates" ? ratesOf(list.meter, terms.validFrom, pricing.terms) : null;
  const units = rates === null ? discounted(list, discount ?? 0) : inCommonUnits(list, rates);
  const version = {
    meter: list.meter,
    validFrom,
    own: { ...named, discount },
    list,
    rates,
    ...units,
  };
  return units.per > MAX_BIGINT ? { ...version, roundsEach: true } : version;
}

function ratesOf(meter: string, validFrom: Instant, terms: UnitPrice | TableTerms): MeterVersion {
  const named = { meter, validFrom };
  return "rates" in terms ? rateTable(named, terms) : { ...named, ...terms };
}

type Units = Pick<OwnVersion, "per" | "ofOwn" | "ofList">;

/** 12.5 % off: 7 times the credits for 8 times the units. */
function discounted({ per }: MeterVersion, basisPoints: number): Units {
  const [discount, whole] = [BigInt(basisPoints), BigInt(WHOLE_DISCOUNT)];
  const divisor = divisorOf(whole, discount);
  return { per: per * (whole / divisor), ofOwn: 1n, ofList: (whole - discount) / divisor };
}

function inCommonUnits(list: MeterVersion, rates: MeterVersion): Units {
  const per = commonPer([list, rates]);
  return { per, ofOwn: per / rates.per, ofList: per / list.per };
}

/** What an account pays for the units for which a price is stated, or for so many more that it is whole. */
export function ownPrice(
  { from, of, factor }: OwnRate,
  { credits, per }: Pick<UnitPrice, "credits" | "per">,
): Pick<UnitPrice, "credits" | "per"> {
  const [times, parts] = inLowestTerms(factor, of.per / from.per);
  const [whole, left] = inLowestTerms(credits * times, parts);
  return { credits: whole, per: per * left };
}

function inLowestTerms(a: bigint, b: bigint): readonly [bigint, bigint] {
  const divisor = divisorOf(a, b);
  return [a / divisor, b / divisor];
}
