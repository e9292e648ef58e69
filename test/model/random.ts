/** Pseudo-random numbers, the same for the same seed. */
export interface Random {
  /** An integer from 0 to below `below`. */
  whole(below: number): number;
  /** An integer from `from` to `to`, both included. */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Weighted items. */
  pickWeighted<T>(items: readonly (readonly [weight: number, item: T])[]): T;
}

/** Mulberry32: 32 bits of state, which is plenty for tests. */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const whole = (below: number) => Math.floor(next() * below);
  function pick<T>(items: readonly T[]): T {
    const item = items[whole(items.length)];
    if (item === undefined) throw new Error("there is nothing to pick from");
    return item;
  }
  return {
    whole,
    between: (from, to) => from + whole(to - from + 1),
    chance: (probability) => next() < probability,
    pick,
    pickWeighted(items) {
      let at = next() * items.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, item] of items) {
        at -= weight;
        if (at < 0) return item;
      }
      return pick(items)[1];
    },
  };
}
