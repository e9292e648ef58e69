import type { Instant } from "../../shared/core/line/account.ts";
import type { PartitionEnds } from "../../shared/kafka/client/partition-ends.ts";

/** How far the books are behind in a partition. */
export interface PartitionLag {
  readonly partition: number;
  /** Offsets that the books have not read; a few of them may have no message. */
  readonly events: number;
  /** For how long the oldest of them has been there, to within the interval of looks; 0: all is read. */
  readonly seconds: number;
}

interface Followed {
  /** Ends that the books have not read up to, each with when it was first seen, oldest first. */
  readonly unread: { readonly end: bigint; readonly at: Instant }[];
  /** The end when this process first looked: when older messages were published, it has not seen. */
  readonly backlogEnd: bigint;
  readonly since: Instant;
  next: bigint;
  high: bigint;
  /** When the newest message that this process metered was published. */
  newest: Instant | null;
}

/** Ends seen later are left out, so that the oldest, which tell the lag, are kept. */
const MOST_SEEN = 1_000;

/** Follows how far the books are behind, from looks at both ends, whichever process meters. */
export function lagFollower() {
  const partitions = new Map<number, Followed>();
  let lookedAt: Instant | null = null;

  return {
    look(ends: readonly PartitionEnds[], offsets: ReadonlyMap<number, bigint>, at: Instant): void {
      lookedAt = at;
      for (const { partition, low, high } of ends) {
        const offset = offsets.get(partition) ?? low;
        // What retention has deleted is read no more.
        const next = offset < low ? low : offset;
        const before = partitions.get(partition);
        const followed = before ?? {
          unread: [],
          backlogEnd: high,
          since: at,
          next,
          high,
          newest: null,
        };
        partitions.set(partition, followed);
        Object.assign(followed, { next, high });
        noteEnd(followed, at);
      }
    },
    /** Takes note of when the newest message of a metered batch was published. */
    metered(partition: number, publishedAt: Instant): void {
      const followed = partitions.get(partition);
      if (followed !== undefined) followed.newest = publishedAt;
    },
    /** When it last looked; null: never. */
    lookedAt: () => lookedAt,
    lags: (now: Instant): PartitionLag[] =>
      [...partitions].map(([partition, followed]) => ({
        partition,
        events: Math.max(0, Number(followed.high - followed.next)),
        seconds: secondsOf(followed, now),
      })),
  };
}

function noteEnd({ unread, next, high }: Followed, at: Instant): void {
  const isNew = high > (unread.at(-1)?.end ?? next);
  if (isNew && unread.length < MOST_SEEN) unread.push({ end: high, at });
  // Offsets are read after the ends, so that the books may have read beyond them by then.
  for (let [oldest] = unread; oldest !== undefined && oldest.end <= next; [oldest] = unread) {
    unread.shift();
  }
}

function secondsOf({ unread, backlogEnd, next, newest, since }: Followed, now: Instant): number {
  const [oldest] = unread;
  if (oldest === undefined) return 0;
  // Of a backlog from before, what was metered last tells the age; or else it is as old as this process, at least.
  const publishedBy = next < backlogEnd ? (newest ?? since) : oldest.at;
  return Math.max(0, now - publishedBy) / 1000;
}
