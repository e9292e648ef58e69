import type { Catalogue } from "./catalogue.ts";
import type { DisplayName } from "./display-name.ts";
import type { MeterVersion } from "./rate-card.ts";

/** Everything on offer: all versions, and the latest names. */
export interface Offer {
  readonly catalogue: Catalogue;
  /** By meter, oldest first. */
  readonly rates: readonly MeterVersion[];
  readonly names: readonly DisplayName[];
}
