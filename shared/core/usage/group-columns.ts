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
  /** In their order, in which the rows of accounts are locked and indexes hold what is theirs. */
  readonly accountIds: readonly string[];
}

/** Groups the events at these places by their accounts, by counting. */
export function groupByAccount(columns: UsageColumns, places: Int32Array): AccountGroups {
  const { ofPlaces, firsts } = numbersOf(columns, places);
  const named = firsts.map((place, number) => ({ number, id: accountIdAt(columns, place) }));
  named.sort((a, b) => (a.id < b.id ? -1 : 1));
  const next = new Int32Array(named.length);
  for (const number of ofPlaces) next[number] = (next[number] ?? 0) + 1;
  const ends = new Int32Array(named.length);
  let end = 0;
  for (let group = 0; group < named.length; group += 1) {
    const number = named[group]?.number ?? 0;
    const count = next[number] ?? 0;
    next[number] = end;
    end += count;
    ends[group] = end;
  }
  const order = new Int32Array(places.length);
  for (let index = 0; index < places.length; index += 1) {
    const number = ofPlaces[index] ?? 0;
    const at = next[number] ?? 0;
    order[at] = places[index] ?? 0;
    next[number] = at + 1;
  }
  return { columns, order, ends, accountIds: named.map(({ id }) => id) };
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

/** Numbers of accounts from 0 on, in the order in which they are first met. */
interface AccountNumbers {
  readonly ofPlaces: Int32Array;
  /** The place of the first event of each. */
  readonly firsts: readonly number[];
}

function numbersOf(columns: UsageColumns, places: Int32Array): AccountNumbers {
  const { account, names } = columns;
  const known = new Int32Array(names.accounts.size).fill(-1);
  const ofPlaces = new Int32Array(places.length);
  const firsts: number[] = [];
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] ?? 0;
    const name = account[place] ?? -1;
    if (name === -1) return numbersOfTexts(columns, places);
    let number = known[name] ?? -1;
    if (number === -1) {
      number = firsts.push(place) - 1;
      known[name] = number;
    }
    ofPlaces[index] = number;
  }
  return { ofPlaces, firsts };
}

/** Of accounts some of which have no number. One may have got its number only after its first event. */
function numbersOfTexts(columns: UsageColumns, places: Int32Array): AccountNumbers {
  const known = new Map<string, number>();
  const firsts: number[] = [];
  const ofPlaces = places.map((place) => {
    const id = accountIdAt(columns, place);
    const number = known.get(id) ?? firsts.push(place) - 1;
    known.set(id, number);
    return number;
  });
  return { ofPlaces, firsts };
}
