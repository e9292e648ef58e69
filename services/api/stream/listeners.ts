import type { TopicRecord } from "./follow-topics.ts";
import type { Listener } from "./listener.ts";

export type Listeners = ReturnType<typeof openListeners>;

/** All open streams of this process, by account. */
export function openListeners() {
  const byAccount = new Map<string, Set<Listener>>();
  let count = 0;

  function each(act: (listener: Listener) => void): void {
    for (const ofAccount of byAccount.values()) for (const listener of ofAccount) act(listener);
  }

  return {
    add(accountId: string, listener: Listener): void {
      const ofAccount = byAccount.get(accountId) ?? new Set();
      byAccount.set(accountId, ofAccount.add(listener));
      count += 1;
    },
    remove(accountId: string, listener: Listener): void {
      const ofAccount = byAccount.get(accountId);
      if (ofAccount?.delete(listener) !== true) return;
      count -= 1;
      if (ofAccount.size === 0) byAccount.delete(accountId);
    },
    get count(): number {
      return count;
    },
    onRecord(record: TopicRecord): void {
      for (const listener of byAccount.get(record.accountId) ?? []) listener.receive(record);
    },
    onGap: () => each((listener) => listener.reload()),
    keepOpen: () => each((listener) => listener.keepOpen()),
    end: () => each((listener) => listener.end()),
  };
}
