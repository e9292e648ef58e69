import type { LoadedHold } from "../load/holds.ts";
import type { Books } from "./books.ts";
import { type Checked, openFindings } from "./findings.ts";

/**
 * Each hold that was given is there once, has ended as it was to, and was used by its events alone; what an account
 * holds is what its open holds do. `last`: each account's last sequence on billing.holds.
 */
export function checkHolds(
  { holds, held }: Pick<Books, "holds" | "held">,
  given: readonly LoadedHold[],
  last: ReadonlyMap<string, bigint>,
): Checked {
  const findings = openFindings(
    "each hold is given once, used once and ended, and nothing stays held",
  );
  const wanted = given.map(({ accountId, holdId, credits, used, end }) => {
    const captured = end === "captured" ? credits : null;
    return `${accountId} ${holdId}: ${end}, ${used} of ${credits}, captured ${captured}`;
  });
  const found = holds.map(({ account_id, hold_id, status, used, credits, captured }) => {
    return `${account_id} ${hold_id}: ${status}, ${used} of ${credits}, captured ${captured}`;
  });
  const [is, was] = [new Set(found), new Set(wanted)];
  for (const one of found) if (!was.has(one)) findings.add(`${one}, which is not what was done`);
  for (const one of wanted) if (!is.has(one)) findings.add(`${one} is not in the books`);
  for (const account of held) {
    const open = holds.filter(
      (hold) => hold.account_id === account.account_id && hold.ended_at === null,
    );
    const sum = open.reduce(
      (total, hold) => total + (hold.captured ?? hold.credits) - hold.used,
      0n,
    );
    if (account.held !== sum) {
      findings.add(`${account.account_id} holds ${account.held}, and its open holds ${sum}`);
    }
    const told = last.get(account.account_id) ?? 0n;
    if (told !== account.hold_changes) {
      findings.add(
        `${account.account_id} has ${account.hold_changes} changes, and ${told} on the topic`,
      );
    }
  }
  return findings.done(holds.length);
}
