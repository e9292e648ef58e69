import type { Instant } from "../line/account.ts";
import type { Refusal } from "../line/refusal.ts";
import type { Catalogue } from "./catalogue.ts";
import {
  type AddOnTerms,
  type CreditPriceTerms,
  isSameAddOn,
  isSameCreditPrice,
  isSameMeter,
  isSamePlan,
  type MeterTerms,
  type PlanTerms,
  termsOf,
} from "./catalogue-terms.ts";
import { completed } from "./complete-version.ts";
import { type DisplayName, decideNames, type NameChange } from "./display-name.ts";
import type { RateCard } from "./rate-card.ts";
import type {
  Place,
  RequestedCatalogue,
  RequestedVersion,
  RequestedVersions,
} from "./requested-catalogue.ts";

/** What a requested version changes. */
export interface Change<T> {
  /** `completed`: the version that begins then gets more rates. */
  readonly kind: "added" | "new_version" | "completed" | "unchanged";
  readonly id: string;
  readonly validFrom: Instant;
  readonly terms: T;
  /** The terms in force until then, or of the version that is completed; null: there were none, or nothing changes. */
  readonly replaces: T | null;
}

export interface CatalogueChanges {
  readonly meters: readonly Change<MeterTerms>[];
  readonly plans: readonly Change<PlanTerms>[];
  readonly addOns: readonly Change<AddOnTerms>[];
  readonly creditPrices: readonly Change<CreditPriceTerms>[];
  readonly names: readonly NameChange[];
}

/** Why a version cannot be added. */
export type RefusedVersion = { readonly place: Place } & Refusal<
  "version_exists" | "too_early" | "version_planned" | "version_overtaken"
>;

export type ChangeDecision =
  | { readonly kind: "changes"; readonly changes: CatalogueChanges }
  | { readonly kind: "refused"; readonly refusals: readonly RefusedVersion[] };

/** What a change of the catalogue is decided on, read in one transaction. */
export interface ChangeContext {
  readonly catalogue: Catalogue;
  readonly card: RateCard;
  readonly names: readonly DisplayName[];
  readonly now: Instant;
  /** The earliest start of another price of a meter. */
  readonly earliestRate: Instant;
  /** The earliest start of other terms of a plan, an add-on or a credit price. */
  readonly earliestTerms: Instant;
  /** When the oldest usage occurred that waits for a meter's first price, by meter. */
  readonly waitingSince: ReadonlyMap<string, Instant>;
}

/**
 * Decides what a catalogue file changes. Versions are only ever added, so the past never changes:
 *
 * - New items may begin at any instant, with several versions; without `from`, they begin now, and a
 *   meter as early as the usage that waits for it.
 * - Existing items may get other terms from `earliest` on, also between future versions.
 * - A version that exists with the same terms is unchanged; other terms at its instant are refused, unless they
 *   complete it: rates of a meter that price only what it left without a price.
 * - Terms without `from` are the newest. They are unchanged if the newest existing version before the
 *   next requested one has them, even if it is still to come, or complete it. Otherwise they begin at `earliest`, and
 *   are refused if another version begins only after that.
 *
 * Names and units have no versions: a stated one replaces the one before, and changes no price.
 *
 * All or nothing: a single refusal prevents all changes.
 */
export function decideChanges(
  requested: RequestedCatalogue,
  context: ChangeContext,
): ChangeDecision {
  const { catalogue, now } = context;
  const refusals: RefusedVersion[] = [];
  const rulesOfOthers = {
    earliest: context.earliestTerms,
    waitingSince: new Map<string, Instant>(),
    complete: () => null,
  };
  const decide = <T>(
    ofSection: RequestedVersions<T>,
    existing: ReadonlyMap<string, readonly Existing<T>[]>,
    isSame: (a: T, b: T) => boolean,
    { earliest, waitingSince, complete }: ItemRules<T> = rulesOfOthers,
  ) =>
    [...ofSection].flatMap(([id, versions]) => {
      const first = Math.min(waitingSince.get(id) ?? now, now);
      const history = { id, existing: existing.get(id) ?? [], isSame, complete, first, earliest };
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
    meters: decide(requested.meters, oldestFirst(context.card), isSameMeter, {
      earliest: context.earliestRate,
      waitingSince: context.waitingSince,
      complete: completed,
    }),
    plans: decide(requested.plans, catalogue.plans, isSamePlan),
    addOns: decide(requested.addOns, catalogue.addOns, isSameAddOn),
    creditPrices: decide(requested.creditPrices, catalogue.creditPrices, isSameCreditPrice),
    names: decideNames(requested.names, context.names),
  };
  return refusals.length === 0 ? { kind: "changes", changes } : { kind: "refused", refusals };
}

/** What differs between meters and everything else. */
interface ItemRules<T> {
  readonly earliest: Instant;
  readonly waitingSince: ChangeContext["waitingSince"];
  readonly complete: (standing: T, asked: T) => T | null;
}

/** Adds what each new version replaces: an existing version, or one before it in the file. */
function withReplaced<T>(changes: readonly Change<T>[], { existing }: History<T>): Change<T>[] {
  return changes.map((change) => {
    if (change.kind === "unchanged" || change.kind === "completed") return change;
    const isBefore = (other: { readonly validFrom: Instant }) => other.validFrom < change.validFrom;
    const before = existing.findLast(isBefore);
    const inFile = changes.findLast(isBefore);
    const isInFile = inFile !== undefined && inFile.validFrom > (before?.validFrom ?? -1);
    return { ...change, replaces: isInFile ? inFile.terms : (before ?? null) };
  });
}

function oldestFirst(card: RateCard): ReadonlyMap<string, readonly Existing<MeterTerms>[]> {
  return new Map(
    [...card].map(([meter, versions]) => [
      meter,
      versions.map((one) => ({ ...termsOf(one), validFrom: one.validFrom })).toReversed(),
    ]),
  );
}

type Existing<T> = T & { readonly validFrom: Instant };

/** An item's existing versions, oldest first, and what its new ones must obey. */
interface History<T> {
  readonly id: string;
  readonly existing: readonly Existing<T>[];
  readonly isSame: (a: T, b: T) => boolean;
  /** The terms of a version with what is asked for besides; null: that is no addition. */
  readonly complete: (standing: T, asked: T) => T | null;
  /** Where the first version of a new item begins. */
  readonly first: Instant;
  readonly earliest: Instant;
}

function decideDated<T>(
  { terms, place }: RequestedVersion<T>,
  from: Instant,
  history: History<T>,
): Change<T> | RefusedVersion {
  const { existing, earliest } = history;
  const there = existing.find(({ validFrom }) => validFrom === from);
  if (there !== undefined)
    return stands(there, terms, history) ?? { kind: "version_exists", place };
  if (existing.length > 0 && from < earliest) return { kind: "too_early", earliest, place };
  return begins(terms, from, history);
}

function decidePlain<T>(
  { terms, place }: RequestedVersion<T>,
  before: Instant,
  history: History<T>,
): Change<T> | RefusedVersion {
  const { existing } = history;
  const newest = existing.findLast(({ validFrom }) => validFrom < before);
  const standing = newest === undefined ? null : stands(newest, terms, history);
  if (standing !== null) return standing;
  const earliest = existing.length === 0 ? history.first : history.earliest;
  if (newest !== undefined && newest.validFrom >= earliest) {
    return { kind: "version_planned", at: newest.validFrom, place };
  }
  if (earliest >= before) return { kind: "version_overtaken", earliest, place };
  return begins(terms, earliest, history);
}

/** How an existing version comes to have terms at its own instant; null: it cannot. */
function stands<T>(existing: Existing<T>, terms: T, history: History<T>): Change<T> | null {
  const { id, isSame, complete } = history;
  const { validFrom } = existing;
  if (isSame(existing, terms)) return unchanged(id, validFrom, terms);
  const whole = complete(existing, terms);
  return whole && { kind: "completed", id, validFrom, terms: whole, replaces: existing };
}

function isRefusal<T>(outcome: Change<T> | RefusedVersion): outcome is RefusedVersion {
  return "place" in outcome;
}

function begins<T>(terms: T, validFrom: Instant, { id, existing }: History<T>): Change<T> {
  const kind = existing.length === 0 ? "added" : "new_version";
  return { kind, id, validFrom, terms, replaces: null };
}

function unchanged<T>(id: string, validFrom: Instant, terms: T): Change<T> {
  return { kind: "unchanged", id, validFrom, terms, replaces: null };
}
