import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { problem } from "../../../shared/contract/problem.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import {
  type AccountDetails,
  readAccountDetails,
} from "../../../shared/ledger/books/account-details.ts";
import type { Database, Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { unknownAccount } from "../problem.ts";

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

/** The account that a path is about. */
export const accountPath = z.object({ account_id: accountId });

const content = { "application/problem+json": { schema: problem } } as const;

/** How any route may refuse. */
export const REFUSALS = {
  "4xx": { description: "Refused, and why. Nothing has changed.", content },
  "5xx": { description: "An outage of ours; ask again.", content },
} as const;

/** Reads of one state of an account's books. Throws a problem where there is no such account. */
export async function readOfAccount<T>(
  { database }: RouteParts,
  id: AccountId,
  read: (transaction: Transaction, details: AccountDetails) => Promise<T>,
): Promise<T> {
  return readSnapshot(database, async (transaction) => {
    const details = await readAccountDetails(transaction, id);
    if (details === null) throw unknownAccount(id);
    return read(transaction, details);
  });
}
