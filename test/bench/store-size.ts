import pg from "pg";
import type { Run } from "./consume.ts";
import { type Figure, figureBeside } from "./figure.ts";

/** What a run added to the write-ahead log, and to the tables of usage with their indexes. */
export interface Stored {
  readonly walBytes: number;
  readonly diskBytes: number;
}

/** In books, the tables of usage, partitions by themselves; for the floor, its table. */
const SIZE = `
  SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS "walBytes",
         (SELECT coalesce(sum(pg_total_relation_size(oid)), 0)
          FROM pg_class
          WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND (relname LIKE 'usage\\_%' OR relname IN ('draw', 'floor')))::float8 AS "diskBytes"`;

/** The position of the server's write-ahead log, and the size of the tables of usage in books. */
export async function sizeOfStore(url: string): Promise<Stored> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Stored>(SIZE);
    return rows[0] ?? { walBytes: Number.NaN, diskBytes: Number.NaN };
  } finally {
    await client.end();
  }
}

/** What `run` adds, on a server on which nothing else writes. */
export async function storing(url: string, run: () => Promise<Run>): Promise<Run & Stored> {
  const before = await sizeOfStore(url);
  const ran = await run();
  const after = await sizeOfStore(url);
  return {
    ...ran,
    walBytes: after.walBytes - before.walBytes,
    diskBytes: after.diskBytes - before.diskBytes,
  };
}

/** Bytes an event that runs of `total` events added, beside others in the same rounds. */
export function bytesFigure(
  name: string,
  pairs: readonly {
    readonly total: number;
    readonly subject: Stored;
    readonly floor: Stored;
  }[],
  { of, beside }: { readonly of: keyof Stored; readonly beside: string },
): Figure {
  const perEvent = pairs.map(({ total, subject, floor }) => ({
    subject: subject[of] / total,
    floor: floor[of] / total,
  }));
  return figureBeside({ name, unit: "B/event" }, perEvent, beside);
}
