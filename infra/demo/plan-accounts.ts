import type { AccountId } from "../../shared/core/line/account.ts";
import type { MicroCredits } from "../../shared/core/line/credit-line.ts";
import type { LotSource } from "../../shared/core/month/grant-credits.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { randomIntegers } from "./spread.ts";

/** Credits that an account is given before the trace is played. */
export interface PlannedLot {
  readonly source: LotSource;
  readonly credits: MicroCredits;
  /** Counted from the grant. No lot ends while the demo runs. */
  readonly life: "usual" | "never" | { readonly days: number };
}

export interface PlannedAccount {
  readonly accountId: AccountId;
  readonly timeZone: string;
  readonly threshold: MicroCredits;
  /** Oldest first. */
  readonly lots: readonly PlannedLot[];
}

const SEED = 8_819;
const TIME_ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"];
const KINDS: readonly Pick<PlannedLot, "source" | "life">[] = [
  { source: "plan", life: "usual" },
  { source: "promotion", life: { days: 14 } },
  { source: "top_up", life: { days: 365 } },
  { source: "adjustment", life: "never" },
  { source: "plan", life: { days: 30 } },
];

/**
 * Accounts with three to five lots each, the same in every run. A lot has 10 to 40 % of what an
 * account draws on average, so an account has 30 to 200 %: some accounts run low, and the busiest
 * run into debt. The threshold of every other account is a quarter of the average, else 0.
 */
export function planAccounts(given: {
  accounts: number;
  /** Starts every account id, so that runs on the same servers have accounts of their own. */
  prefix: string;
  averageDraw: MicroCredits;
}): PlannedAccount[] {
  const random = randomIntegers(SEED);
  const digits = String(given.accounts).length;
  const pick = <T>(from: readonly T[]) => from[random(from.length)] ?? from[0];
  return Array.from({ length: given.accounts }, (_, index) => {
    const number = String(index + 1).padStart(digits, "0");
    const lots = KINDS.slice(0, 3 + random(3)).map((kind) => ({
      ...kind,
      credits: (given.averageDraw * BigInt(10 + random(31))) / 100n + 1n,
    }));
    return {
      accountId: toAccountId(`${given.prefix}-${number}`),
      timeZone: pick(TIME_ZONES) ?? "UTC",
      threshold: index % 2 === 1 ? given.averageDraw / 4n : 0n,
      lots,
    };
  });
}
