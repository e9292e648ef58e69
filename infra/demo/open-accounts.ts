import type { Instant } from "../../shared/core/line/account.ts";
import type { LotEnd } from "../../shared/core/month/expiry.ts";
import { createAccount } from "../../shared/ledger/credits/create-account.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { PlannedAccount, PlannedLot } from "./plan-accounts.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Accounts opened concurrently: their commits share the disk's flushes. */
const CONCURRENCY = 8;

/** Creates the accounts in the books and grants their lots, oldest first. */
export async function openAccounts(
  database: Database,
  accounts: readonly PlannedAccount[],
): Promise<void> {
  const left = accounts.values();
  const work = async () => {
    for (const account of left) await openAccount(database, account);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

async function openAccount(database: Database, account: PlannedAccount): Promise<void> {
  const { accountId, timeZone, threshold, lots } = account;
  const settings = { accountId, timeZone, threshold, currency: "USD" };
  const by = "npm run demo";
  const { kind } = await createAccount(database, settings, { now: Date.now(), by });
  if (kind !== "created") throw new Error(`account ${accountId} could not be created: ${kind}`);
  for (const [index, lot] of lots.entries()) {
    const now = Date.now();
    const { source, credits } = lot;
    const lotId = `lot-${index + 1}`;
    const grant = { lotId, source, credits, reference: by, end: endOf(lot, now) };
    const outcome = await grantCredits(database, accountId, grant, now);
    if (outcome.kind !== "granted") {
      throw new Error(`${lotId} could not be granted to ${accountId}: ${outcome.kind}`);
    }
  }
}

function endOf({ life }: PlannedLot, now: Instant): LotEnd {
  return typeof life === "string" ? { kind: life } : { kind: "at", at: now + life.days * DAY_MS };
}
