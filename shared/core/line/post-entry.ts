import type { Account, Entry } from "./account.ts";

/** Posts an entry on `moved`, the account whose line already includes it. */
export function postEntry(
  moved: Account,
  details: Pick<Entry, "kind" | "credits" | "lotId" | "reference" | "dueAt">,
): { account: Account; entry: Entry } {
  const { accountId, granted, position } = moved;
  const sequence = moved.entries + 1n;
  return {
    account: { ...moved, entries: sequence },
    entry: { accountId, sequence, granted, position, ...details },
  };
}
