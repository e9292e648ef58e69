import type { BudgetData } from "../../../shared/contract/budget.ts";
import { shareText, shortCredits } from "./credit-text.ts";
import { dimensionName, valueName } from "./display-names.ts";
import { momentText } from "./time-text.ts";

const WINDOW = { day: "today", week: "this week", month: "this month", all: "in all" } as const;

/** Whose budget it is: "Team search, this month". */
export function budgetName({ dimension, value, window }: BudgetData): string {
  const whose = value === null ? "" : ` ${valueName(dimension, value)}`;
  return `${dimensionName(dimension)}${whose}, ${WINDOW[window]}`;
}

/** What is spent of it: "0.8 of 1 credits", and what open holds set aside. */
export function spentText({ spent, credits, held }: BudgetData): string {
  const aside = BigInt(held) > 0n ? `, ${shortCredits(BigInt(held))} set aside` : "";
  return `${shortCredits(BigInt(spent))} of ${shortCredits(BigInt(credits))} credits${aside}`;
}

/** How full it is: "80%", "used up", "over by 0.5". */
export function fullText({ spent, credits, held, left }: BudgetData): string {
  const rest = BigInt(left);
  if (rest < 0n) return `over by ${shortCredits(-rest)}`;
  if (rest === 0n) return "used up";
  return shareText(BigInt(spent) + BigInt(held), BigInt(credits));
}

/** When its window turns: "until 1 Dec, 00:00"; "" for one that never does. */
export function turnText({ ends_at }: BudgetData, zone: string, now: number): string {
  return ends_at === null ? "" : `until ${momentText(zone, Date.parse(ends_at), now)}`;
}
