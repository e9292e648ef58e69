import type { Instant } from "../../../shared/core/line/account.ts";
import {
  type AccessId,
  accessKey,
  readOpenAccess,
} from "../../../shared/ledger/access/open-access.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import type { Logger } from "../../../shared/runtime/logger.ts";

export type AccessWatch = ReturnType<typeof watchAccess>;

/** What a revoked or expired key or token has opened ends within this time and one read of the books. */
const CHECK_EVERY_MS = 2_000;

interface Watched {
  readonly access: AccessId;
  readonly ends: Set<() => void>;
}

/** Ends what stays open when its key or token is revoked or expires: one read for all of a process. */
export function watchAccess({
  database,
  now,
  logger,
}: {
  readonly database: Database;
  readonly now: () => Instant;
  readonly logger: Pick<Logger, "warn">;
}) {
  const watched = new Map<string, Watched>();
  let isChecking = false;
  const timer = setInterval(() => void check(), CHECK_EVERY_MS).unref();

  async function check(): Promise<void> {
    if (isChecking || watched.size === 0) return;
    isChecking = true;
    const given = [...watched];
    try {
      const open = await readOpenAccess(
        database,
        given.map(([, { access }]) => access),
        now(),
      );
      for (const [key, { ends }] of given) if (!open.has(key)) for (const end of ends) end();
    } catch (error) {
      logger.warn(
        { error: (error as Error).message },
        "cannot check the keys of open streams and exports",
      );
    } finally {
      isChecking = false;
    }
  }

  return {
    /** Calls `end` once the access ends; returns what stops that. */
    add(access: AccessId, end: () => void): () => void {
      const key = accessKey(access);
      const entry = watched.get(key) ?? { access, ends: new Set() };
      watched.set(key, entry);
      entry.ends.add(end);
      return () => {
        entry.ends.delete(end);
        if (entry.ends.size === 0 && watched.get(key) === entry) watched.delete(key);
      };
    },
    stop: () => clearInterval(timer),
  };
}
