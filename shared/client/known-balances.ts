import type { KnownBudgets } from "./known-budgets.ts";

/** What is left on an account, as `billing.balances` says. Amounts are micro-credits. */
export interface KnownBalance {
  /** Of two states, the one with the larger version is newer. */
  readonly version: bigint;
  readonly balance: bigint;
  /** What open holds set aside. */
  readonly held: bigint;
  /** How far below zero an allowance may go. Null: the account has none of its own. */
  readonly overdraft: bigint | null;
  /** Null: it was published by a version that does not tell. */
  readonly budgets: readonly KnownBudgets[] | null;
}

/** The next offset of each partition. */
type Offsets = ReadonlyMap<number, bigint>;

/** What was said to be complete, and where the topic ended after that: known once it is read so far. */
interface Complete {
  readonly until: number;
  readonly ends: Offsets;
}

/** Said in the time that reading takes; what is older is known a moment later anyway. */
const MOST_WAITING = 60;

/**
 * The newest balance of each account, and until when these are all. Knows only `accounts`, or with null all of
 * the topic.
 */
export class KnownBalances {
  readonly #accounts: ReadonlySet<string> | null;
  readonly #balances = new Map<string, KnownBalance>();
  /** Read up to here. */
  readonly #read = new Map<number, bigint>();
  #waiting: Complete[] = [];
  #knownUntil: number | null = null;

  constructor(accounts: ReadonlySet<string> | null) {
    this.#accounts = accounts;
  }

  /** Milliseconds since 1970: every change committed before then is known. Null: not yet. */
  get knownUntil(): number | null {
    return this.#knownUntil;
  }

  of(accountId: string): KnownBalance | undefined {
    return this.#balances.get(accountId);
  }

  /**
   * Keeps the newer state; of two of the same version the later one. Null: what was last said of the account cannot
   * be read, so nothing is known of it.
   */
  learn(accountId: string, state: KnownBalance | null): void {
    if (this.#accounts !== null && !this.#accounts.has(accountId)) return;
    if (state === null) {
      this.#balances.delete(accountId);
      return;
    }
    const known = this.#balances.get(accountId);
    if (known === undefined || state.version >= known.version) this.#balances.set(accountId, state);
  }

  /** A partition of the topic is read up to an offset. */
  haveRead(partition: number, nextOffset: bigint): void {
    this.#read.set(partition, nextOffset);
    this.#settle();
  }

  nextOffsetOf(partition: number): bigint {
    return this.#read.get(partition) ?? 0n;
  }

  /**
   * All that was committed before `until` is on the topic, which ended at `ends` after that was said. False: it ends
   * before what was read, so it is another topic, and nothing is known any more.
   */
  complete(until: number, ends: Offsets): boolean {
    if ([...ends].some(([partition, end]) => end < this.nextOffsetOf(partition))) {
      this.#forget();
      return false;
    }
    this.#waiting = [...this.#waiting.slice(1 - MOST_WAITING), { until, ends }];
    this.#settle();
    return true;
  }

  #forget(): void {
    this.#balances.clear();
    this.#read.clear();
    this.#waiting = [];
    this.#knownUntil = null;
  }

  #settle(): void {
    const isRead = ({ ends }: Complete) =>
      [...ends].every(([partition, end]) => this.nextOffsetOf(partition) >= end);
    while (this.#waiting[0] !== undefined && isRead(this.#waiting[0])) {
      this.#knownUntil = Math.max(this.#knownUntil ?? 0, this.#waiting[0].until);
      this.#waiting.shift();
    }
  }
}
