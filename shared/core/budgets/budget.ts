import type { AccountId, Instant } from "../line/account.ts";
import type { MicroCredits } from "../line/credit-line.ts";
import type { BudgetWindow, WindowSpan } from "./window.ts";

/** Which spend of an account a budget limits. */
export interface BudgetPlace {
  readonly accountId: AccountId;
  readonly dimension: string;
  readonly window: BudgetWindow;
  /** Empty: that of every value that has no budget of its own. */
  readonly value: string;
}

/** The most that a value of a dimension may spend of an account's credits in a window. */
export interface Budget extends BudgetPlace {
  /** 0: nothing. */
  readonly credits: MicroCredits;
  readonly setBy: string;
  readonly setAt: Instant;
}

/** What a value has of a budget in the window of an instant. */
export interface BudgetState extends Omit<Budget, "accountId">, WindowSpan {
  /** It is that of every value. */
  readonly isDefault: boolean;
  readonly spent: MicroCredits;
  /** By open holds of usage with the value. */
  readonly held: MicroCredits;
  /** Since when usage is counted: the start of the window, or later, where it was set too late for that. */
  readonly countedSince: Instant;
}
