import { setTimeout as sleep } from "node:timers/promises";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import type { KnownChanges } from "../../../shared/ledger/books/account-changes.ts";
import type { Logger } from "../../../shared/runtime/logger.ts";
import type { Changes } from "./changes.ts";
import type { Listener } from "./listener.ts";

export type Listeners = ReturnType<typeof openListeners>;

/** Reads what is new of accounts since the given sequences. */
type ReadChanges = (
  known: ReadonlyMap<AccountId, KnownChanges | null>,
) => Promise<readonly Changes[]>;

/** However many records are published, each account is read at most once in this time. */
const READ_EVERY_MS = 100;
const MOST_PER_READ = 500;
const RETRY_AFTER_MS = 1_000;

/** All open streams of this process, by account. */
export function openListeners(read: ReadChanges, logger: Pick<Logger, "warn">) {
  const byAccount = new Map<AccountId, Set<Listener>>();
  const changed = new Set<AccountId>();
  const nextEnds = new Map<AccountId, Instant>();
  let count = 0;
  let isReading = false;
  let hasEnded = false;

  function each(act: (listener: Listener) => void): void {
    for (const ofAccount of byAccount.values()) for (const listener of ofAccount) act(listener);
  }

  /** An account may have changed: it is read, and its streams receive what is new. */
  function onChange(accountId: AccountId): void {
    if (!byAccount.has(accountId)) return;
    changed.add(accountId);
    if (!isReading) void readChanged();
  }

  /** One read at a time, of all accounts that have changed since the one before. */
  async function readChanged(): Promise<void> {
    isReading = true;
    while (changed.size > 0 && !hasEnded) {
      const accounts = [...changed].slice(0, MOST_PER_READ);
      for (const accountId of accounts) changed.delete(accountId);
      await sleep(await sendChanges(accounts), undefined, { ref: false });
    }
    isReading = false;
  }

  /** How long to wait before the next read. */
  async function sendChanges(accounts: readonly AccountId[]): Promise<number> {
    try {
      for (const changes of await read(new Map(accounts.map(known)))) {
        onRead(changes);
        for (const listener of byAccount.get(changes.accountId) ?? []) listener.receive(changes);
      }
      return READ_EVERY_MS;
    } catch (error) {
      logger.warn({ error: (error as Error).message }, "streams wait for the books");
      for (const accountId of accounts) changed.add(accountId);
      return RETRY_AFTER_MS;
    }
  }

  /** A lot that ends changes the balance without a record on any topic. */
  function onRead({ accountId, nextEndAt }: Changes): void {
    if (nextEndAt === null || !byAccount.has(accountId)) nextEnds.delete(accountId);
    else nextEnds.set(accountId, nextEndAt);
  }

  /** What all streams of an account have sent. */
  function known(accountId: AccountId): [AccountId, KnownChanges | null] {
    const cursors = [...(byAccount.get(accountId) ?? [])].flatMap(
      (listener) => listener.cursor() ?? [],
    );
    const [first, ...others] = cursors;
    if (first === undefined) return [accountId, null];
    const least = (a: bigint, b: bigint) => (a < b ? a : b);
    return [
      accountId,
      others.reduce<KnownChanges>(
        (oldest, { entries, topUps }) => ({
          entries: least(oldest.entries, entries),
          topUps: least(oldest.topUps, topUps),
        }),
        first,
      ),
    ];
  }

  return {
    add(accountId: AccountId, listener: Listener): void {
      const ofAccount = byAccount.get(accountId) ?? new Set();
      byAccount.set(accountId, ofAccount.add(listener));
      count += 1;
    },
    remove(accountId: AccountId, listener: Listener): void {
      const ofAccount = byAccount.get(accountId);
      if (ofAccount?.delete(listener) !== true) return;
      count -= 1;
      if (ofAccount.size > 0) return;
      byAccount.delete(accountId);
      nextEnds.delete(accountId);
    },
    countOf: (accountId: AccountId) => byAccount.get(accountId)?.size ?? 0,
    get count(): number {
      return count;
    },
    onChange,
    onRead,
    /** Accounts whose lots have ended by now are read again. */
    onTime(now: Instant): void {
      for (const [accountId, endsAt] of nextEnds) {
        if (endsAt > now) continue;
        nextEnds.delete(accountId);
        onChange(accountId);
      }
    },
    /** Any account may have changed. */
    onGap(): void {
      for (const accountId of byAccount.keys()) onChange(accountId);
    },
    get hasEnded(): boolean {
      return hasEnded;
    },
    keepOpen: () => each((listener) => listener.keepOpen()),
    /** Ends all streams, for good. */
    end(): void {
      hasEnded = true;
      each((listener) => listener.end());
    },
  };
}
