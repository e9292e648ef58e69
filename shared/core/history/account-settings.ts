import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { TopUpSettings } from "../payments/auto-top-up.ts";

/** All that is set on an account beside its subscription. */
export interface AccountSettings {
  /** IANA name. */
  readonly timeZone: string;
  readonly threshold: MicroCredits;
  readonly autoTopUp: TopUpSettings;
}

/** Settings as they hold from an instant on, until the next change. */
export interface SettingChange {
  /** Counts up per account from 1. */
  readonly sequence: number;
  readonly at: Instant;
  readonly by: string;
  readonly settings: AccountSettings;
}

/** The change whose settings hold at an instant; null: what was set then is not known. `changes` are oldest first. */
export function settingsAt(changes: readonly SettingChange[], at: Instant): SettingChange | null {
  return changes.findLast((change) => change.at <= at) ?? null;
}
