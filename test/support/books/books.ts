import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { termsOf } from "../../../shared/core/offer/catalogue-terms.ts";
import type { MeterVersion } from "../../../shared/core/offer/rate-card.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { insertVersions } from "../../../shared/ledger/catalogue/insert-versions.ts";
import { createAccount } from "../../../shared/ledger/credits/create-account.ts";
import { grantCredits } from "../../../shared/ledger/credits/grant-credits.ts";
import {
  type Database,
  inTransaction,
  openDatabase,
} from "../../../shared/ledger/postgres/database.ts";
import { throughSocket } from "../stack/postgres-socket.ts";
import { copyDatabase, createFromTemplate, dropDatabase, superuserUrl } from "../stack/template.ts";

/** A separate database for a test file, with the tables and no rows. */
export interface Books {
  /** With the role of the services, who may change rows and no tables. */
  readonly url: string;
  /** With every right, for what tests do besides. */
  readonly database: Database;
  close(): Promise<void>;
}

export async function openBooks(): Promise<Books> {
  return booksAt(await createFromTemplate(newName()));
}

/** A copy of the current books, as a restored backup would be. Cuts the connections to them. */
export async function copyBooks({ url }: Books): Promise<Books> {
  return booksAt(await copyDatabase(url, newName()));
}

function newName(): string {
  return `books_${randomBytes(6).toString("hex")}`;
}

function booksAt(url: string): Books {
  const database = connect(superuserUrl(url));
  return {
    url,
    database,
    async close() {
      await database.end();
      await dropDatabase(url);
    },
  };
}

/** A pool as the services open it; connections cut by a test raise no error. */
export function connect(
  url: string,
  connections = 5,
  plans: "of_batches" | "of_one_account" = "of_batches",
): Database {
  return openDatabase(
    { url: throughSocket(url), tls: null },
    { name: "drawdown-test", connections, plans, onError: () => undefined },
  );
}

export interface OpeningLot {
  readonly credits: bigint;
  /** Default: never. */
  readonly expiresAt?: number;
}

/** Creates an account with lots, oldest first: `<account>-lot-1`, `-2`, ... */
export async function openAccount(
  { database }: Pick<Books, "database">,
  id: string,
  options: {
    lots?: readonly OpeningLot[];
    threshold?: bigint;
    timeZone?: string;
    at?: number;
  } = {},
): Promise<void> {
  const { lots = [], threshold = 0n, timeZone = "UTC", at = Date.now() } = options;
  const accountId = toAccountId(id);
  const settings = { accountId, timeZone, currency: "USD", threshold };
  expect(await createAccount(database, settings, { now: at, by: "test" })).toEqual({
    kind: "created",
  });
  for (const [index, { credits, expiresAt }] of lots.entries()) {
    const outcome = await grantCredits(
      database,
      accountId,
      {
        lotId: `${id}-lot-${index + 1}`,
        credits,
        source: "top_up",
        reference: "",
        end: expiresAt === undefined ? { kind: "never" } : { kind: "at", at: expiresAt },
      },
      at,
    );
    expect(outcome.kind).toBe("granted");
  }
}

/** Sets the price of a meter, in micro-credits per number of units, from an instant on. */
export async function setPrice(
  { database }: Pick<Books, "database">,
  meter: string,
  credits: bigint,
  per = 1n,
  validFrom = 0,
): Promise<void> {
  await database.query(
    `INSERT INTO rate (meter, valid_from, credits, per, rounds_each)
     VALUES ($1, to_timestamp($2 / 1000.0), $3, $4, false)`,
    [meter, validFrom, credits, per],
  );
}

/** Adds versions of meters, as a catalogue file would. */
export async function setRates(
  { database }: Pick<Books, "database">,
  versions: readonly MeterVersion[],
): Promise<void> {
  const meters = versions.map((version) => {
    const { meter: id, validFrom } = version;
    return { kind: "added", id, validFrom, terms: termsOf(version), replaces: null } as const;
  });
  const others = { plans: [], addOns: [], creditPrices: [] };
  await inTransaction(database, (transaction) =>
    insertVersions(transaction, { meters, ...others }, Date.now(), null),
  );
}

/** Opens an account that has a payment method, so that it can subscribe to a plan with a price. */
export async function openAccountWithCard(
  books: Pick<Books, "database">,
  id: string,
  options: Parameters<typeof openAccount>[2] = {},
): Promise<void> {
  await openAccount(books, id, options);
  await giveCard(books, id);
}

export async function giveCard({ database }: Pick<Books, "database">, id: string): Promise<void> {
  await database.query(
    "INSERT INTO payment_method VALUES ($1, 'cus_test', 'pm_test', 'test', now())",
    [id],
  );
}
