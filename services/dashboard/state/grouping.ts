import type { Grouping } from "../api/account-api.ts";

const DIMENSION = "dimension ";

/** A grouping as one word, for lists of choices and for storage. */
export function optionOf(grouping: Grouping): string {
  return grouping.group === "dimension" ? DIMENSION + grouping.dimension : grouping.group;
}

/** By meter if the word is none. */
export function groupingOf(option: string): Grouping {
  if (option.startsWith(DIMENSION)) {
    return { group: "dimension", dimension: option.slice(DIMENSION.length) };
  }
  return { group: option === "source" ? "source" : "meter" };
}

/**
 * The dimensions to group by: those that prices depend on first, in their order, then those of recent usage by
 * name. The chosen one is always among them.
 */
export function dimensionsOffered(
  priced: readonly string[],
  seen: readonly string[],
  chosen: Grouping,
): readonly string[] {
  const kept = chosen.group === "dimension" ? [chosen.dimension] : [];
  return [...new Set([...priced, ...[...kept, ...seen].sort()])];
}

const KEPT = "drawdown.grouping";

/** What this browser's user last chose for an account. */
export function keptGrouping(accountId: string): Grouping {
  return groupingOf(localStorage.getItem(`${KEPT} ${accountId}`) ?? "");
}

export function keepGrouping(accountId: string, grouping: Grouping): void {
  localStorage.setItem(`${KEPT} ${accountId}`, optionOf(grouping));
}
