import type { TopicRecord } from "./follow-topics.ts";
import type { Listener } from "./listener.ts";

/** All open streams of this process, by account. */
export interface Listeners {
  add(accountId: string, listener: Listener): void;
  remove(accountId: string, listener: Listener): void;
  readonly count: number;
  onRecord(record: TopicRecord): void;
  onGap(): void;
  keepOpen(): void;
  end(): void;
}

export function openListeners(): Listeners {
  const byAccount = new Map<string, Set<Listener>>();
  let count = 0;

  function each(act: (listener: Listener) => void): void {
    for (const ofAccount of byAccount.values()) for (const listener of ofAccount) act(listener);
  }

  return {
    add(accountId, listener) {
      const ofAccount = byAccount.get(accountId) ?? new Set();
      byAccount.set(accountId, ofAccount.add(listener));
      count += 1;
    },
    remove(accountId, listener) {
      const ofAccount = byAccount.get(accountId);
      if (ofAccount?.delete(listener) !== true) return;
      count -= 1;
      if (ofAccount.size === 0) byAccount.delete(accountId);
    },
    get count() {
      return count;
    },
    onRecord(record) {
      for (const listener of byAccount.get(record.accountId) ?? []) listener.receive(record);
    },
    onGap: () => each((listener) => listener.reload()),
    keepOpen: () => each((listener) => listener.keepOpen()),
    end: () => each((listener) => listener.end()),
  };
}
