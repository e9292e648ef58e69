import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import {
  type AccountDetails,
  readAccountDetails,
} from "../../../shared/ledger/books/account-details.ts";
import type { Database, Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { problemDocument, unknownAccount } from "../problem.ts";

/** What the routes work with. */
export interface RouteParts {
  readonly database: Database;
  /** The clock. */
  now(): Instant;
}

/** The server, with routes typed by their schemas. */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}

const problem = { "application/problem+json": { schema: problemDocument } } as const;

/** How any route may refuse. */
export const REFUSALS = {
  "4xx": { description: "Refused, and why. Nothing has changed.", content: problem },
  "5xx": { description: "An outage of ours; ask again.", content: problem },
} as const;

/** Reads of one state of an account's books. Throws a problem where there is no such account. */
export async function readOfAccount<T>(
  { database }: RouteParts,
  accountId: AccountId,
  read: (transaction: Transaction, details: AccountDetails) => Promise<T>,
): Promise<T> {
  return readSnapshot(database, async (transaction) => {
    const details = await readAccountDetails(transaction, accountId);
    if (details === null) throw unknownAccount(accountId);
    return read(transaction, details);
  });
}
