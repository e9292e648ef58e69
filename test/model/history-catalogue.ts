import type { AddOn, LotLife, Plan } from "../../shared/core/offer/catalogue.ts";
import type { Rate } from "../../shared/core/offer/rate-card.ts";
import type { Catalogue } from "./month-terms.ts";

/** The catalogue of the histories: lives of all kinds, changing prices and credits. */

/** When histories begin: the end of summer time and a leap day fall in the first months. */
export const HISTORY_START = Date.UTC(2023, 8, 20);

const BEFORE = Date.UTC(2023, 0, 1);

const PLANS: readonly Plan[] = [
  plan("tiny", 20, { currencies: ["USD"] }),
  plan("starter", 100, { firstMonth: "by_days" }),
  plan("team", 250),
  plan("team", 300, { validFrom: Date.UTC(2024, 4, 1) }),
  plan("team", 280, { validFrom: Date.UTC(2024, 10, 17, 9, 30), currencies: ["USD"] }),
  plan("scale", 600, { firstMonth: "by_days" }),
  plan("sprint", 150, { life: { kind: "months", months: 1 } }),
  plan("quarter", 130, { life: { kind: "months", months: 3 } }),
  plan("keeper", 80, { life: { kind: "never" } }),
  plan("gift", 60, { cents: 0 }),
  plan("newcomer", 400, { validFrom: Date.UTC(2024, 2, 10) }),
];

const ADD_ONS: readonly AddOn[] = [
  { addOnId: "voice", validFrom: BEFORE, credits: 5_000_000n },
  { addOnId: "base", validFrom: BEFORE, credits: 12_000_000n },
  { addOnId: "base", validFrom: Date.UTC(2024, 6, 1), credits: 9_500_001n },
  { addOnId: "lines", validFrom: BEFORE, credits: 1_333_333n },
];

export const PLAN_IDS = [...new Set(PLANS.map(({ planId }) => planId))];
export const ADD_ON_IDS = [...new Set(ADD_ONS.map(({ addOnId }) => addOnId))];

export const HISTORY_CATALOGUE: Catalogue = {
  plans: Map.groupBy(PLANS, ({ planId }) => planId),
  addOns: Map.groupBy(ADD_ONS, ({ addOnId }) => addOnId),
};

export const HISTORY_RATES: readonly Rate[] = [
  { meter: "token", validFrom: BEFORE, credits: 1_000_000n, per: 197n },
  { meter: "token", validFrom: Date.UTC(2024, 1, 29, 12), credits: 3_000_001n, per: 671n },
  { meter: "cached token", validFrom: BEFORE, credits: 100_001n, per: 211n },
];

function plan(
  planId: string,
  credits: number,
  given: {
    validFrom?: number;
    life?: LotLife;
    currencies?: readonly string[];
    /** Monthly price per credit. */
    cents?: number;
    firstMonth?: Plan["firstMonth"];
  } = {},
): Plan {
  const { validFrom = BEFORE, life = { kind: "usual" }, currencies = ["USD", "EUR"] } = given;
  const monthly = BigInt(credits * (given.cents ?? 9));
  return {
    planId,
    validFrom,
    credits: BigInt(credits) * 1_000_000n,
    life,
    firstCredits: "immediately",
    firstMonth: given.firstMonth ?? "whole",
    prices: currencies.map((currency) => ({
      currency,
      monthly,
      // Upgrades in mid-year give fractions of a cent.
      yearly: monthly * 10n + (monthly % 7n),
    })),
  };
}
