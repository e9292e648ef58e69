import { ALERT_LEVELS, asksForAlerts, BUDGETS, type FireAccount } from "../load/accounts.ts";
import type { BookedAlert, BookedEntry, Books } from "./books.ts";
import type { Spent } from "./check-budgets.ts";
import { type Checked, openFindings } from "./findings.ts";

/**
 * Each level of a month's credits that was used while the month lasted was raised once, each level of a budget that
 * was spent, and each declined top-up; and nothing else. `last`: each account's last sequence on billing.alerts.
 */
export function checkAlerts(
  books: Books,
  accounts: readonly FireAccount[],
  spent: Spent,
  last: ReadonlyMap<string, bigint>,
): Checked {
  const findings = openFindings("each alert is raised once");
  for (const account of accounts) {
    const { id } = account;
    const asks = asksForAlerts(account);
    const ofAccount = books.alerts.filter(({ account_id }) => account_id === id);
    const compare = (what: string, wanted: readonly string[], found: readonly string[]) => {
      const [is, was] = [found, wanted].map((list) => list.toSorted().join(", ") || "none");
      if (is !== was) findings.add(`${id} was told of ${what}: ${is}, not ${was}`);
    };
    const toldOf = (kind: string) => ofAccount.filter((alert) => alert.kind === kind).map(nameOf);
    compare("months", asks ? levelsUsed(books, id) : [], toldOf("month_credits"));
    compare("budgets", asks ? levelsSpent(spent, id) : [], toldOf("budget"));
    compare("declines", asks ? declinedOf(books, id) : [], toldOf("top_up_declined"));
    if ((last.get(id) ?? 0n) !== BigInt(ofAccount.length)) {
      findings.add(`${id} has ${ofAccount.length} alerts, and ${last.get(id) ?? 0n} on the topic`);
    }
  }
  return findings.done(books.alerts.length);
}

function nameOf({ subject, window, level }: BookedAlert): string {
  const of = subject === "" ? window : `${subject} ${window}`;
  return level === 0 ? of : `${level} % of ${of}`;
}

/** Budgets stay as they are: how much was spent in the end says which levels were reached. */
function levelsSpent(spent: Spent, id: string): string[] {
  return [...spent].flatMap(([key, sum]) => {
    if (!key.startsWith(`${id} `) || sum === 0n) return [];
    const place = key.slice(id.length + 1);
    const credits = BUDGETS.find(({ window }) => place.includes(` ${window}`))?.credits ?? 0n;
    return ALERT_LEVELS.filter((level) => sum * 100n >= credits * BigInt(level)).map(
      (level) => `${level} % of ${place}`,
    );
  });
}

function declinedOf({ payments }: Books, id: string): string[] {
  return payments
    .filter(
      ({ account_id, kind, status }) =>
        account_id === id && kind === "top_up" && status === "failed",
    )
    .map(({ payment_id }) => payment_id);
}

/** A month lasts until the credits of the next one are granted: that entry says how far the account had drawn. */
function levelsUsed({ entries, lots, accounts }: Books, id: string): string[] {
  const months = entries.filter((entry) => entry.account_id === id && isMonth(entry));
  const ends = [...months.slice(1), accounts.find(({ account_id }) => account_id === id)];
  return months.flatMap(({ lot_id }, at) => {
    const lot = lots.find((one) => one.account_id === id && one.lot_id === lot_id);
    const end = ends[at]?.position ?? 0n;
    if (lot === undefined) return [];
    const size = lot.end_position - lot.start_position;
    const used = end < lot.end_position ? end - lot.start_position : size;
    return ALERT_LEVELS.filter((level) => used * 100n >= size * BigInt(level)).map(
      (level) => `${level} % of ${lot_id}`,
    );
  });
}

function isMonth({ kind, lot_id }: BookedEntry): boolean {
  return kind === "grant" && lot_id !== null && /^plan:\d+:\d+$/.test(lot_id);
}
