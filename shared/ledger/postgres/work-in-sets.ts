import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { isDatabaseOutage } from "./outage.ts";

/** After a set of several: a transaction costs about as much for one account as for ten. */
const REST_MS = 40;
/** Accounts that one transaction locks. */
export const MOST_IN_A_SET = 100;

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Works on items in sets, one set at a time: what is given meanwhile is the next one. So a single item
 * does not wait, and many share the work; after several there is a rest, in which more gather. A set has
 * at most `most` items, and none with the same key twice: the second waits for the set after it.
 *
 * A set that fails is halved until the item that fails is alone: only that one rejects. In an outage of
 * Postgres all of its items do.
 */
export function workInSets<T, R>(options: {
  readonly most: number;
  keyOf(item: T): string;
  /** Returns the result of each item. */
  work(items: readonly T[]): Promise<(item: T) => R>;
}): (item: T) => Promise<R> {
  const { most, keyOf, work } = options;
  let waiting: Waiting<T, R>[] = [];
  let isWorking = false;

  async function workOff(): Promise<void> {
    isWorking = true;
    // What the same turn of the event loop gives belongs to the first set.
    await nextTurn();
    while (waiting.length > 0) {
      const set = takeSet();
      await finish(set);
      if (set.length > 1) await sleep(REST_MS);
    }
    isWorking = false;
  }

  function takeSet(): Waiting<T, R>[] {
    const set = new Map<string, Waiting<T, R>>();
    const later: Waiting<T, R>[] = [];
    for (const each of waiting) {
      const key = keyOf(each.item);
      if (set.size < most && !set.has(key)) set.set(key, each);
      else later.push(each);
    }
    waiting = later;
    return [...set.values()];
  }

  async function finish(set: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const resultOf = await work(set.map(({ item }) => item));
      for (const { item, resolve } of set) resolve(resultOf(item));
    } catch (error) {
      if (set.length === 1 || isDatabaseOutage(error)) {
        for (const { reject } of set) reject(error);
        return;
      }
      const half = set.length >> 1;
      await finish(set.slice(0, half));
      await finish(set.slice(half));
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isWorking) void workOff();
    });
}
