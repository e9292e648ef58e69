import type { Instant } from "../line/account.ts";
import type { AddOnTerms, CreditPriceTerms, MeterTerms, PlanTerms } from "./catalogue-terms.ts";
import type { DisplayName } from "./display-name.ts";

/** A place in a file. */
export interface Place {
  readonly line: number;
  /** Such as `plans.pro.credits`. */
  readonly field: string;
}

/** Terms as a file states them. */
export interface RequestedVersion<T> {
  /** Null: from the earliest possible instant until the next requested version. */
  readonly from: Instant | null;
  readonly terms: T;
  readonly place: Place;
}

/** The requested versions, oldest first, by id or currency. Only the first may have no `from`. */
export type RequestedVersions<T> = ReadonlyMap<string, readonly RequestedVersion<T>[]>;

/** The contents of a catalogue file. What it does not name stays as it is. */
export interface RequestedCatalogue {
  readonly meters: RequestedVersions<MeterTerms>;
  readonly plans: RequestedVersions<PlanTerms>;
  readonly addOns: RequestedVersions<AddOnTerms>;
  readonly creditPrices: RequestedVersions<CreditPriceTerms>;
  /** A null name or unit stays as it is. */
  readonly names: readonly DisplayName[];
}
