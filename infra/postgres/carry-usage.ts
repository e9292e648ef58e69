import type { Instant } from "../../shared/core/line/account.ts";
import {
  queryRow,
  sqlState,
  type Transaction,
  tableOf,
  UNIQUE_VIOLATION,
} from "../../shared/ledger/postgres/database.ts";
import { isIdentities } from "../../shared/ledger/usage/identities.ts";
import { type BatchStart, type CarriedBatch, carryBatch } from "./carry/batch.ts";
import {
  onWholeTables,
  refuseOtherTotals,
  refuseUnnamed,
  UncarriedUsage,
} from "./carry/compare.ts";
import { committed, withLock } from "./carry/locks.ts";

export interface CarryOptions {
  /** The identities of what was metered since then are carried, because it may come again. */
  readonly repeatsSince: Instant;
  /** How much to carry in one transaction, by the bytes of draws. */
  readonly batchBytes?: number;
  /** Called after each transaction, and while the tables cannot be locked. */
  onProgress(progress: CarryProgress): void | Promise<void>;
}

export interface CarryProgress {
  /** Records on pages. */
  readonly carried: bigint;
  /** Records that there were at the start. */
  readonly records: bigint;
  /** Connections that use the tables, so that they cannot be locked; null: none. */
  readonly waitsFor: string | null;
}

/** About 20,000 events where a draw names few. */
const BATCH_BYTES = 1 << 20;
/** After a pass that carried more events, another one comes before the tables are locked. */
const FEW = 20_000;
const MOST_PASSES = 20;

/**
 * Carries the usage in the tables usage_record and draw over to usage_page while metering writes to them,
 * compares both, and drops the tables. Broken off, it continues when it is called again. Throws
 * UncarriedUsage if records and draws do not fit together: then nothing is on pages.
 */
export async function carryUsage(client: Transaction, options: CarryOptions): Promise<void> {
  if (!(await hasUsageToCarry(client))) return;
  try {
    await carryAll(client, options);
  } catch (error) {
    if (error instanceof UncarriedUsage) {
      await withLock(
        client,
        "ACCESS EXCLUSIVE",
        () => undefined,
        () => client.query(START_OVER),
      );
    }
    throw error;
  }
}

const IS_TABLE = "SELECT FROM pg_class WHERE oid = to_regclass('usage_record') AND relkind = 'r'";

/** True where usage_record is a table with rows. */
export async function hasUsageToCarry(client: Transaction): Promise<boolean> {
  if ((await queryRow(client, IS_TABLE)) === null) return false;
  return (await queryRow(client, "SELECT FROM usage_record LIMIT 1")) !== null;
}

// What is on pages is not compared again, so it stays as it is; only a repair would remove it.
const KEEP_RECORDS = `
  CREATE OR REPLACE FUNCTION keep_usage_record() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'usage is being carried over to pages: repair it with the new version, after set-up';
  END
  $$;
  CREATE OR REPLACE TRIGGER keep_usage_record BEFORE DELETE OR TRUNCATE ON usage_record
  FOR EACH STATEMENT EXECUTE FUNCTION keep_usage_record();`;

const START_OVER = `
  DROP TRIGGER keep_usage_record ON usage_record;
  DROP FUNCTION keep_usage_record;
  TRUNCATE usage_page, usage_identity_1, usage_identity_2, usage_identity_clash;`;

const DROP = `
  DROP TABLE draw, usage_record;
  DROP FUNCTION keep_usage_record;`;

/** Identities are carried since the instant at which carrying began first. */
const BEGIN = `
  UPDATE usage_generation
  SET since = CASE
    WHEN EXISTS (SELECT FROM usage_page) THEN since
    ELSE least(since, to_timestamp($1 / 1000.0))
  END
  RETURNING since`;

async function carryAll(client: Transaction, options: CarryOptions): Promise<void> {
  const progress = openProgress(options);
  const onWait = (holders: string) => progress.show({ waitsFor: holders });
  await withLock(client, "SHARE ROW EXCLUSIVE", onWait, () => client.query(KEEP_RECORDS));
  const begun = await queryRow<{ since: Instant }>(client, BEGIN, [options.repeatsSince]);
  const since = begun?.since ?? options.repeatsSince;
  await progress.show(await countRecords(client));

  const pass = async (carry: (start: Omit<BatchStart, "lookUp">) => Promise<CarriedBatch>) => {
    let events = 0;
    for (let from: string | null = ""; from !== null; ) {
      const bytes = options.batchBytes ?? BATCH_BYTES;
      const batch: CarriedBatch = await carry({ from, since, bytes });
      from = batch.next;
      events += batch.events;
      if (batch.events > 0) await progress.add(batch.events);
    }
    return events;
  };
  const byItself = (start: Omit<BatchStart, "lookUp">) => commitBatch(client, start);
  await pass(byItself);
  await client.query("ANALYZE usage_page, usage_identity_1");
  for (let passes = 1; passes < MOST_PASSES && (await pass(byItself)) > FEW; ) passes += 1;
  await withLock(client, "ACCESS EXCLUSIVE", onWait, async () => {
    await pass((start) => carryBatch(client, { ...start, lookUp: true }));
    await refuseOtherTotals(client);
    await client.query(DROP);
  });
}

/** Looks up the keys of identities only where one was written before. */
async function commitBatch(
  client: Transaction,
  start: Omit<BatchStart, "lookUp">,
): Promise<CarriedBatch> {
  const carry = (lookUp: boolean) =>
    committed(client, () => carryBatch(client, { ...start, lookUp }));
  try {
    return await carry(false);
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION || !isIdentities(tableOf(error))) throw error;
    return carry(true);
  }
}

const COUNT = `
  SELECT (SELECT count(*) FROM usage_record) AS records,
         (SELECT coalesce(sum(cardinality(event_ids)), 0) FROM draw)::bigint AS named,
         (SELECT coalesce(sum(cardinality(quantities)), 0) FROM usage_page)::bigint AS carried`;

async function countRecords(client: Transaction) {
  type Row = { readonly records: bigint; readonly named: bigint; readonly carried: bigint };
  const [counts] = await onWholeTables<Row>(client, COUNT);
  if (counts === undefined) throw new Error("counting the records returned nothing");
  const { named, ...progress } = counts;
  if (progress.records > named) await refuseUnnamed(client);
  return progress;
}

function openProgress({ onProgress }: CarryOptions) {
  let progress: CarryProgress = { carried: 0n, records: 0n, waitsFor: null };
  const show = (changed: Partial<CarryProgress>) => {
    progress = { ...progress, waitsFor: null, ...changed };
    return onProgress(progress);
  };
  return { show, add: (events: number) => show({ carried: progress.carried + BigInt(events) }) };
}
