import type { Account } from "../line/account.ts";
import { isLate } from "../month/late-usage.ts";
import { accountIdAt, occurredAtAt, type UsageColumns } from "./usage-columns.ts";

/** Places of events in columns, together by account. */
export interface AccountGroups {
  readonly columns: UsageColumns;
  /** The places: each account's follow each other, in the order given. */
  readonly order: Int32Array;
  /** Where each account's end in `order`; they begin where those of the account before end. */
  readonly ends: Int32Array;
  /** In the order in which the events first name them. */
  readonly accountIds: readonly string[];
}

/** Groups the events at these places by their accounts, by counting. */
export function groupByAccount(columns: UsageColumns, places: Int32Array): AccountGroups {
  const numbers = numbersOf(columns, places);
  const accountIds: string[] = [];
  const ends = new Int32Array(numbers.groups);
  for (const [index, group] of numbers.ofPlaces.entries()) {
    if (group === accountIds.length) accountIds.push(accountIdAt(columns, places[index] ?? 0));
    ends[group] = (ends[group] ?? 0) + 1;
  }
  let before = 0;
  for (const [group, count] of ends.entries()) {
    ends[group] = before;
    before += count;
  }
  const order = new Int32Array(places.length);
  for (const [index, group] of numbers.ofPlaces.entries()) {
    const at = ends[group] ?? 0;
    order[at] = places[index] ?? 0;
    ends[group] = at + 1;
  }
  return { columns, order, ends, accountIds };
}

/** Calls `use` with each account and the places of its events. */
export function forEachAccount(
  { order, ends, accountIds }: AccountGroups,
  use: (accountId: string, places: Int32Array, from: number) => void,
): void {
  let from = 0;
  for (const [group, accountId] of accountIds.entries()) {
    const to = ends[group] ?? from;
    use(accountId, order.subarray(from, to), from);
    from = to;
  }
}

/** The accounts that have late usage: the lots that may pay for it are read. */
export function lateAccounts(
  groups: AccountGroups,
  accounts: ReadonlyMap<string, Account>,
): string[] {
  const late: string[] = [];
  forEachAccount(groups, (accountId, places) => {
    const account = accounts.get(accountId);
    if (account === undefined || account.expiredUntil === null) return;
    const isAnyLate = places.some((place) =>
      isLate(account, { occurredAt: occurredAtAt(groups.columns, place) }),
    );
    if (isAnyLate) late.push(accountId);
  });
  return late;
}

/** Numbers from 0 on, in the order in which they are first met. */
interface GroupNumbers {
  readonly ofPlaces: Int32Array;
  readonly groups: number;
}

function numbersOf(columns: UsageColumns, places: Int32Array): GroupNumbers {
  const { account, names } = columns;
  const known = new Int32Array(names.accounts.size).fill(-1);
  const ofPlaces = new Int32Array(places.length);
  let groups = 0;
  for (let index = 0; index < places.length; index += 1) {
    const number = account[places[index] ?? 0] ?? -1;
    if (number === -1) return numbersOfTexts(columns, places);
    let group = known[number] ?? -1;
    if (group === -1) {
      group = groups++;
      known[number] = group;
    }
    ofPlaces[index] = group;
  }
  return { ofPlaces, groups };
}

/** Of accounts some of which have no number. One may have got its number only after its first event. */
function numbersOfTexts(columns: UsageColumns, places: Int32Array): GroupNumbers {
  const known = new Map<string, number>();
  const ofPlaces = places.map((place) => {
    const id = accountIdAt(columns, place);
    const group = known.get(id) ?? known.size;
    known.set(id, group);
    return group;
  });
  return { ofPlaces, groups: known.size };
}
