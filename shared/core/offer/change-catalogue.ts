import type { Instant } from "../line/account.ts";
import type { Refusal } from "../line/refusal.ts";
import type { Catalogue } from "./catalogue.ts";
import {
  type AddOnTerms,
  type CreditPriceTerms,
  isSameAddOn,
  isSameCreditPrice,
  isSamePlan,
  isSameRate,
  type MeterTerms,
  type PlanTerms,
} from "./catalogue-terms.ts";
import type { Rate, RateCard } from "./rate-card.ts";
import type {
  Place,
  RequestedCatalogue,
  RequestedVersion,
  RequestedVersions,
} from "./requested-catalogue.ts";

/** What asking for a version comes to. */
export interface Change<T> {
  readonly kind: "added" | "new_version" | "unchanged";
  readonly id: string;
  readonly validFrom: Instant;
  readonly terms: T;
  /** The terms that held until then; null when there were none, or nothing changes. */
  readonly replaces: T | null;
}

export interface CatalogueChanges {
  readonly meters: readonly Change<MeterTerms>[];
  readonly plans: readonly Change<PlanTerms>[];
  readonly addOns: readonly Change<AddOnTerms>[];
  readonly creditPrices: readonly Change<CreditPriceTerms>[];
}

/** Why a version cannot be. */
export type RefusedVersion = { readonly place: Place } & Refusal<
  "version_exists" | "too_early" | "version_planned" | "version_overtaken"
>;

export type ChangeDecision =
  | { readonly kind: "changes"; readonly changes: CatalogueChanges }
  | { readonly kind: "refused"; readonly refusals: readonly RefusedVersion[] };

/** What the file is judged against, read in one transaction. */
export interface ChangeContext {
  readonly catalogue: Catalogue;
  readonly card: RateCard;
  readonly now: Instant;
  /** From when a meter that has a price may have another. */
  readonly earliestRate: Instant;
  /** From when a plan, an add-on or a credit price that stands may have other terms. */
  readonly earliestTerms: Instant;
}

/**
 * What a file changes. Versions are only ever added, so nothing changes backwards:
 *
 * - What is new may begin at any instant, its whole history at once; stated plainly, now.
 * - What stands may have other terms from `earliest` on, also between versions still to come.
 * - A version that stands just so is unchanged; other terms at its very instant are refused.
 * - Plain terms are the newest: unchanged when the newest version that stands (before the next one
 *   asked for) has them, also one to come; else they begin at `earliest`, and are refused when
 *   another version is to begin only after that.
 *
 * All or nothing: one refusal, and there are no changes.
 */
export function decideChanges(asked: RequestedCatalogue, context: ChangeContext): ChangeDecision {
  const { catalogue, now } = context;
  const refusals: RefusedVersion[] = [];
  const decide = <T>(
    ofSection: RequestedVersions<T>,
    standing: ReadonlyMap<string, readonly Standing<T>[]>,
    isSame: (a: T, b: T) => boolean,
    earliest = context.earliestTerms,
  ) =>
    [...ofSection].flatMap(([id, versions]) => {
      const history = { id, standing: standing.get(id) ?? [], isSame, now, earliest };
      const outcomes = versions.map((version, at) =>
        version.from === null
          ? decidePlain(version, versions[at + 1]?.from ?? Number.POSITIVE_INFINITY, history)
          : decideDated(version, version.from, history),
      );
      refusals.push(...outcomes.filter((outcome) => isRefusal(outcome)));
      return withReplaced(
        outcomes.filter((outcome) => !isRefusal(outcome)),
        history,
      );
    });
  const changes = {
    meters: decide(asked.meters, oldestFirst(context.card), isSameRate, context.earliestRate),
    plans: decide(asked.plans, catalogue.plans, isSamePlan),
    addOns: decide(asked.addOns, catalogue.addOns, isSameAddOn),
    creditPrices: decide(asked.creditPrices, catalogue.creditPrices, isSameCreditPrice),
  };
  return refusals.length === 0 ? { kind: "changes", changes } : { kind: "refused", refusals };
}

/** What a new version takes the place of: one that stands, or one before it in the file. */
function withReplaced<T>(changes: readonly Change<T>[], { standing }: History<T>): Change<T>[] {
  return changes.map((change) => {
    if (change.kind === "unchanged") return change;
    const isBefore = (other: { readonly validFrom: Instant }) => other.validFrom < change.validFrom;
    const stands = standing.findLast(isBefore);
    const asked = changes.findLast(isBefore);
    const isAsked = asked !== undefined && asked.validFrom > (stands?.validFrom ?? -1);
    return { ...change, replaces: isAsked ? asked.terms : (stands ?? null) };
  });
}

function oldestFirst(card: RateCard): ReadonlyMap<string, readonly Rate[]> {
  return new Map([...card].map(([meter, rates]) => [meter, rates.toReversed()]));
}

type Standing<T> = T & { readonly validFrom: Instant };

/** An item as it stands, oldest version first, and what its new versions are held to. */
interface History<T> {
  readonly id: string;
  readonly standing: readonly Standing<T>[];
  readonly isSame: (a: T, b: T) => boolean;
  readonly now: Instant;
  readonly earliest: Instant;
}

function decideDated<T>(
  { terms, place }: RequestedVersion<T>,
  from: Instant,
  history: History<T>,
): Change<T> | RefusedVersion {
  const { id, standing, isSame, earliest } = history;
  const same = standing.find(({ validFrom }) => validFrom === from);
  if (same !== undefined) {
    return isSame(same, terms) ? unchanged(id, from, terms) : { kind: "version_exists", place };
  }
  if (standing.length > 0 && from < earliest) return { kind: "too_early", earliest, place };
  return begins(terms, from, history);
}

function decidePlain<T>(
  { terms, place }: RequestedVersion<T>,
  before: Instant,
  history: History<T>,
): Change<T> | RefusedVersion {
  const { id, standing, isSame } = history;
  const newest = standing.findLast(({ validFrom }) => validFrom < before);
  if (newest !== undefined && isSame(newest, terms)) return unchanged(id, newest.validFrom, terms);
  const earliest = standing.length === 0 ? history.now : history.earliest;
  if (newest !== undefined && newest.validFrom >= earliest) {
    return { kind: "version_planned", at: newest.validFrom, place };
  }
  if (earliest >= before) return { kind: "version_overtaken", earliest, place };
  return begins(terms, earliest, history);
}

function isRefusal<T>(outcome: Change<T> | RefusedVersion): outcome is RefusedVersion {
  return "place" in outcome;
}

function begins<T>(terms: T, validFrom: Instant, { id, standing }: History<T>): Change<T> {
  const kind = standing.length === 0 ? "added" : "new_version";
  return { kind, id, validFrom, terms, replaces: null };
}

function unchanged<T>(id: string, validFrom: Instant, terms: T): Change<T> {
  return { kind: "unchanged", id, validFrom, terms, replaces: null };
}
