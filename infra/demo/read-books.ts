import type { MicroCredits } from "../../shared/core/line/credit-line.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../shared/ledger/postgres/read-snapshot.ts";

/** The books of some accounts, read at one instant. */
export interface FoundBooks {
  /** By account id. */
  readonly accounts: ReadonlyMap<string, FoundAccount>;
  readonly records: readonly FoundRecord[];
  readonly pages: readonly FoundPage[];
  readonly spend: readonly FoundSpend[];
  readonly deadLetters: number;
}

export interface FoundAccount {
  readonly granted: MicroCredits;
  readonly position: MicroCredits;
  readonly crossings: bigint;
  /** Oldest first. */
  readonly lots: readonly { readonly start: MicroCredits; readonly end: MicroCredits }[];
}

export interface FoundRecord {
  readonly eventId: string;
  readonly accountId: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly credits: MicroCredits;
  readonly start: MicroCredits;
}

/** The stretch of a page, and where the last of its usage ends. */
interface FoundPage {
  readonly accountId: string;
  readonly start: MicroCredits;
  readonly end: MicroCredits;
  readonly usageEnd: MicroCredits;
}

/** An account's spend on a meter, over all hours. */
interface FoundSpend extends Pick<FoundRecord, "accountId" | "meter" | "quantity" | "credits"> {
  readonly events: number;
}

/** Reads the books with plain SQL on the tables, so that it finds records that nothing else refers to. */
export async function readBooks(
  database: Database,
  accountIds: readonly string[],
): Promise<FoundBooks> {
  return readSnapshot(database, async (transaction) => {
    const read = async <Row extends object>(sql: string) =>
      (await transaction.query<Row>(sql, [accountIds])).rows;
    const accounts = await read<FoundAccount & OfAccount>(ACCOUNTS);
    const lots = await read<FoundAccount["lots"][number] & OfAccount>(LOTS);
    const lotsOf = Map.groupBy(lots, ({ accountId }) => accountId);
    return {
      accounts: new Map(
        accounts.map((row) => [row.accountId, { ...row, lots: lotsOf.get(row.accountId) ?? [] }]),
      ),
      records: await read<FoundRecord>(RECORDS),
      pages: await read<FoundPage>(PAGES),
      spend: await read<FoundSpend>(SPEND),
      deadLetters: (await read<{ count: number }>(DEAD_LETTERS))[0]?.count ?? 0,
    };
  });
}

interface OfAccount {
  readonly accountId: string;
}

const ACCOUNTS = `
  SELECT account_id AS "accountId", granted, position, crossings
  FROM account
  WHERE account_id = ANY($1)`;

const LOTS = `
  SELECT account_id AS "accountId", start_position AS start, end_position AS "end"
  FROM lot
  WHERE account_id = ANY($1)
  ORDER BY end_position, start_position`;

const RECORDS = `
  SELECT event_id AS "eventId", account_id AS "accountId", meter, quantity, credits,
         start_position AS start
  FROM usage_record
  WHERE account_id = ANY($1)`;

const PAGES = `
  SELECT page.account_id AS "accountId", page.start_position AS start, page.end_position AS "end",
         max(record.start_position + record.credits - coalesce(record.given_back, 0)) AS "usageEnd"
  FROM usage_page AS page
  JOIN usage_record AS record
    ON record.account_id = page.account_id AND record.page_start = page.start_position
   AND record.page_version = page.version AND record.page_place = page.place
  WHERE page.account_id = ANY($1)
  GROUP BY 1, 2, 3, page.version, page.place`;

const SPEND = `
  SELECT account_id AS "accountId", meter, sum(events)::integer AS events,
         sum(quantity)::bigint AS quantity, sum(credits)::bigint AS credits
  FROM spend
  WHERE account_id = ANY($1)
  GROUP BY account_id, meter`;

const DEAD_LETTERS = `
  SELECT count(*)::integer
  FROM dead_letter
  WHERE account_id = ANY($1)`;
