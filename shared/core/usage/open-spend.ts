import type { Account, Instant } from "../line/account.ts";
import type { Spend } from "./spend.ts";

/** Meters of the newest hour beyond these are not kept on the row: it stays narrow. */
const MOST_METERS = 8;

/** As JSON has it: amounts that doubles do not hold are text. */
type Sums = readonly [meter: string, events: number, quantity: Amount, credits: Amount];
type Amount = number | string;

/**
 * An account's usage of its newest hour is on its row, in `spent`, which a debit writes anyway: an hour is
 * written to the table of spend once, when a newer one begins. Adds usage (each hour and meter once) and
 * returns `spent` afterwards, and what is for the table: earlier hours, and meters for which the row has no
 * place.
 */
export function addSpent(
  account: Pick<Account, "accountId" | "spent">,
  added: readonly Spend[],
): { readonly spent: string | null; readonly closed: readonly Spend[] } {
  if (added.length === 0) return { spent: account.spent, closed: [] };
  const spends = readSpent(account);
  for (const spend of added) add(spends, spend);
  const hour = spends.reduce((newest, spend) => Math.max(newest, spend.hour), 0);
  const open = spends.filter((spend) => spend.hour === hour).slice(0, MOST_METERS);
  const isAll = open.length === spends.length;
  const closed = isAll ? [] : spends.filter((spend) => !open.includes(spend));
  return { spent: writeSpent(hour, open), closed };
}

/** What an account's row has of its spend. */
export function readSpent({ accountId, spent }: Pick<Account, "accountId" | "spent">): Spend[] {
  if (spent === null) return [];
  const [hour, ...sums] = JSON.parse(spent) as [Instant, ...Sums[]];
  return sums.map(([meter, events, quantity, credits]) => {
    return { accountId, hour, meter, events, quantity: BigInt(quantity), credits: BigInt(credits) };
  });
}

function writeSpent(hour: Instant, open: readonly Spend[]): string {
  const sums = open.map(({ meter, events, quantity, credits }): Sums => {
    return [meter, events, amount(quantity), amount(credits)];
  });
  return JSON.stringify([hour, ...sums]);
}

function amount(value: bigint): Amount {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function add(spends: Spend[], added: Spend): void {
  const known = spends.find(({ hour, meter }) => hour === added.hour && meter === added.meter);
  if (known === undefined) {
    spends.push(added);
    return;
  }
  known.events += added.events;
  known.quantity += added.quantity;
  known.credits += added.credits;
}
