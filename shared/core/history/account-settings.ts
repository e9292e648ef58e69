import type { Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { TopUpTerms } from "../payments/auto-top-up.ts";

/** An account's settings, without its subscription. */
export interface AccountSettings {
  /** IANA name. */
  readonly timeZone: string;
  readonly threshold: MicroCredits;
  /** How far below zero holds and allowances may go. Null: the default. */
  readonly overdraft: MicroCredits | null;
  readonly autoTopUp: TopUpTerms;
}

/** The settings in force from an instant until the next change. */
export interface SettingChange {
  /** Counts up per account from 1. */
  readonly sequence: number;
  readonly at: Instant;
  readonly by: string;
  readonly settings: AccountSettings;
}

/** The settings in force at an instant; null: they are not recorded. `changes` are oldest first. */
export function settingsAt(changes: readonly SettingChange[], at: Instant): SettingChange | null {
  return changes.findLast((change) => change.at <= at) ?? null;
}
