/** The offsets up to which a group has read, which only tools that show lag ask Kafka for. */
export interface GroupOffsets {
  /** Commits this offset within the interval, unless a newer one of the partition comes. */
  note(partition: number, offset: bigint): void;
  /** The partitions are others' now; what was noted is not committed. */
  forget(): void;
  /** Commits what is left. Waits for the commit under way; there are none afterwards. */
  stop(): Promise<void>;
}

/**
 * Commits the newest offsets of all partitions together, at most once in `everyMs`, one commit at a time.
 * Nobody waits for it. A failed one is reported and not repeated: the next has newer offsets.
 */
export function groupOffsets(options: {
  readonly everyMs: number;
  commit(offsets: ReadonlyMap<number, bigint>): Promise<void>;
  onFailed(error: Error): void;
}): GroupOffsets {
  const { everyMs, commit, onFailed } = options;
  let newest = new Map<number, bigint>();
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let isOver = false;

  async function commitNewest(): Promise<void> {
    const offsets = newest;
    newest = new Map();
    timer = undefined;
    if (offsets.size === 0) return;
    try {
      await commit(offsets);
    } catch (error) {
      onFailed(error as Error);
    }
  }

  /** After the interval; the next one begins when the commit has ended. */
  function plan(): void {
    if (isOver || timer !== undefined || underWay !== undefined || newest.size === 0) return;
    timer = setTimeout(() => {
      underWay = commitNewest().finally(() => {
        underWay = undefined;
        plan();
      });
    }, everyMs);
  }

  return {
    note(partition, offset) {
      if (isOver) return;
      newest.set(partition, offset);
      plan();
    },
    forget() {
      newest.clear();
    },
    async stop() {
      isOver = true;
      clearTimeout(timer);
      await underWay;
      await commitNewest();
    },
  };
}
