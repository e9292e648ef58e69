import type { Logger } from "../../runtime/logger.ts";
import type { NoAccount } from "../codec/read-key.ts";

/** A record that a consumer skips because it cannot use it. */
export interface SkippedRecord {
  readonly reason: NoAccount["reason"] | "unreadable";
  readonly detail: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

export interface SkippedRecords {
  /** Counts a record, and logs it unless one of its topic and reason was logged in the last minute. */
  skip(record: SkippedRecord): void;
  /** Since the start of the process. */
  counts(): readonly { readonly topic: string; readonly reason: string; readonly count: number }[];
}

const LOG_EVERY_MS = 60_000;

interface Kind extends Pick<SkippedRecord, "topic" | "reason"> {
  count: number;
  logged: number;
  logAgainAt: number;
}

export function openSkippedRecords(
  logger: Pick<Logger, "warn">,
  now: () => number = Date.now,
): SkippedRecords {
  const kinds = new Map<string, Kind>();
  return {
    skip(record) {
      const { topic, reason } = record;
      const name = `${topic} ${reason}`;
      const kind = kinds.get(name) ?? { topic, reason, count: 0, logged: 0, logAgainAt: 0 };
      kinds.set(name, kind);
      kind.count += 1;
      if (now() < kind.logAgainAt) return;
      logger.warn({ ...record, skipped: kind.count - kind.logged }, "skipped a record");
      kind.logged = kind.count;
      kind.logAgainAt = now() + LOG_EVERY_MS;
    },
    counts: () => [...kinds.values()].map(({ topic, reason, count }) => ({ topic, reason, count })),
  };
}
