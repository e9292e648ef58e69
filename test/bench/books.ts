import pg from "pg";
import { migrate } from "../../infra/postgres/migrate.ts";
import { METERS } from "./load.ts";

const TEMPLATE = "bench_template";

const FLOOR = `
  CREATE TABLE floor (
    event_id    text COLLATE "C" NOT NULL,
    account_id  text COLLATE "C" NOT NULL,
    meter       text COLLATE "C" NOT NULL,
    quantity    bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    source      text NOT NULL,
    dimensions  jsonb,
    PRIMARY KEY (event_id, account_id)
  ) WITH (autovacuum_vacuum_insert_scale_factor = 1.0)`;

/** Instants in the books are whole milliseconds. */
const NOW = "date_trunc('milliseconds', now())";

// One account in twenty has little, so that low balances are published on the way.
const ACCOUNTS = `
  INSERT INTO account (account_id, granted, time_zone, currency, created_at)
  SELECT 'account-' || lpad(i::text, 7, '0'),
         $2::bigint * CASE WHEN i % 20 = 0 THEN 1000 ELSE 1000000000000 END, 'UTC', 'USD', ${NOW}
  FROM generate_series(0, $1::integer - 1) AS i`;

const LOTS = `
  INSERT INTO lot (account_id, lot_id, start_position, end_position, credits, source, reference,
                   granted_at, expires_at)
  SELECT account_id, 'lot-' || i, granted / $1::bigint * i, granted / $1::bigint * (i + 1), granted / $1::bigint,
         'plan', '', ${NOW}, ${NOW} + interval '30 days' + i * interval '1 minute'
  FROM account, generate_series(0, $1::bigint - 1) AS i`;

const NEXT_DUE = `
  UPDATE account
  SET next_due_at = ${NOW} + interval '30 days', settle_at = ${NOW} + interval '30 days 15 minutes'`;

/** Micro-credits for a million units of a meter. */
export function priceOf(meter: (typeof METERS)[number]): number {
  return meter === METERS[0] ? 3_000_000 : 15_000_000;
}

/** Databases for the bench, each new and empty of usage unless it is a copy. */
export interface BookMaker {
  /** Returns the URL of a database with accounts (`accountName(0..)`), their lots, and rates. */
  make(accounts: number, lotsPerAccount: number): Promise<string>;
  /** Returns the URL of a database without tables. */
  makeEmpty(): Promise<string>;
  /** Returns the URL of a copy of books that nobody is connected to. */
  copy(url: string): Promise<string>;
  drop(url: string): Promise<void>;
  close(): Promise<void>;
}

export async function openBookMaker(serverUrl: string): Promise<BookMaker> {
  const server = new pg.Pool({ connectionString: serverUrl, max: 1 });
  server.on("error", () => undefined);
  await server.query(`DROP DATABASE IF EXISTS ${TEMPLATE}`);
  await server.query(`CREATE DATABASE ${TEMPLATE}`);
  const urlOf = (name: string) => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  await inDatabase(urlOf(TEMPLATE), async (pool) => {
    await migrate(pool);
    await pool.query(FLOOR);
    for (const meter of METERS) {
      await pool.query("INSERT INTO rate VALUES ($1, '2020-01-01Z', $2, 1000000)", [
        meter,
        priceOf(meter),
      ]);
    }
  });
  let made = 0;
  return {
    async make(accounts, lotsPerAccount) {
      const name = `bench_${++made}`;
      await server.query(`DROP DATABASE IF EXISTS ${name}`);
      await server.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
      await inDatabase(urlOf(name), async (pool) => {
        await pool.query(ACCOUNTS, [accounts, lotsPerAccount]);
        await pool.query(LOTS, [lotsPerAccount]);
        await pool.query(NEXT_DUE);
        await pool.query("VACUUM ANALYZE");
      });
      await server.query("CHECKPOINT");
      return urlOf(name);
    },
    async makeEmpty() {
      const name = `bench_${++made}`;
      await server.query(`DROP DATABASE IF EXISTS ${name}`);
      await server.query(`CREATE DATABASE ${name}`);
      await server.query("CHECKPOINT");
      return urlOf(name);
    },
    async copy(url) {
      const name = `bench_${++made}`;
      await server.query(`DROP DATABASE IF EXISTS ${name}`);
      await server.query(`CREATE DATABASE ${name} TEMPLATE ${nameOf(url)} STRATEGY file_copy`);
      return urlOf(name);
    },
    async drop(url) {
      await server.query(`DROP DATABASE ${nameOf(url)} WITH (FORCE)`);
    },
    close: () => server.end(),
  };
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

export async function inDatabase(
  url: string,
  work: (pool: pg.Pool) => Promise<void>,
): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}
