import type { BudgetWindow } from "../budgets/window.ts";
import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import { dayOf } from "../offer/months.ts";
import type { Alert } from "./alert.ts";

/** A level of a budget that is reached. */
export interface ReachedBudget {
  readonly accountId: AccountId;
  readonly timeZone: string;
  readonly dimension: string;
  readonly value: string;
  readonly window: BudgetWindow;
  /** Of the window. */
  readonly startsAt: Instant;
  readonly percent: number;
  /** What is spent in the window. */
  readonly used: MicroCredits;
  readonly limit: MicroCredits;
  /** `event:<event id>` or `settings`. */
  readonly cause: string;
  readonly occurredAt: Instant;
}

/** The alert of a level of a budget that is reached. */
export function budgetAlert({
  dimension,
  value,
  window: name,
  startsAt,
  timeZone,
  percent: level,
  ...reached
}: ReachedBudget): Alert {
  const { accountId, used, limit, cause, occurredAt } = reached;
  const day = dayOf(startsAt, timeZone).toString();
  const [window, when] =
    name === "all" ? [name, "all time"] : [`${name}:${day}`, `the ${name} of ${day}`];
  return {
    ...{ accountId, kind: "budget", subject: subjectOf(dimension, value), window, level },
    ...{ used, limit, currency: null, cause, occurredAt },
    reason: `${level} % of the budget of ${dimension} ${value} for ${when} are used.`,
  };
}

/** Different for different budgets: the first `=` ends the dimension. */
function subjectOf(dimension: string, value: string): string {
  return `${dimension.replace(/[%=]/g, encodeURIComponent)}=${value}`;
}
