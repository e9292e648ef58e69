import type { AccountId, Entry, Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import type { AccountBook } from "../../core/month/account-book.ts";
import { uptoClock } from "../../core/month/expiry.ts";
import { movementOf } from "../../core/month/movement.ts";
import { type Settlement, settle } from "../../core/month/settle.ts";
import type { SubscriptionChange } from "../../core/month/subscription.ts";
import type { Catalogue } from "../../core/offer/catalogue.ts";
import { readCatalogue } from "../catalogue/catalogue.ts";
import { type Database, inTransaction, type Transaction } from "../postgres/database.ts";
import { lockAccount, writeAccountSettings } from "./account-details.ts";
import { postMovement } from "./post-movement.ts";
import { readBooks } from "./read-books.ts";
import { recordSettings } from "./setting-changes.ts";
import { readCompleteUntil } from "./usage-complete.ts";

export type UnknownAccount = Refusal<"unknown_account">;

/** An account as it is settled, held until the transaction ends. */
export interface SettledAccount {
  readonly book: AccountBook;
  /** What settling it has posted, which is written with what is decided: no query finds it yet. */
  readonly posted: readonly Entry[];
  /** ISO 4217. */
  readonly currency: string;
  readonly catalogue: Catalogue;
}

/** What was decided on an account, and the step it takes; null: it stays as it was settled. */
export interface Decided<D> {
  readonly decision: D;
  readonly step: Settlement | null;
}

/**
 * Moves one account in one transaction: what fell due before is posted first, under what held then,
 * also when the decision turns out to be a refusal. The account row is locked, so a command never has
 * to run again; metering that had read the account does.
 */
export async function moveAccount<D>(
  database: Database,
  { accountId, now }: { readonly accountId: AccountId; readonly now: Instant },
  decide: (settled: SettledAccount, transaction: Transaction) => Decided<D> | Promise<Decided<D>>,
): Promise<D | UnknownAccount> {
  return inTransaction(database, async (transaction) => {
    const details = await lockAccount(transaction, accountId);
    if (details === null) return { kind: "unknown_account", accountId };
    const { account, currency } = details;
    const catalogue = await readCatalogue(transaction);
    const completeUntil = await readCompleteUntil(transaction);
    const rest = (await readBooks(transaction, [accountId])).get(accountId);
    if (rest === undefined) throw new Error(`the book of account ${accountId} was not read`);
    const before = { account, ...rest };
    const settled = settle(before, catalogue, uptoClock(now, completeUntil));

    const { decision, step } = await decide(
      { book: settled, posted: settled.entries, currency, catalogue },
      transaction,
    );
    const steps = step === null ? [settled] : [settled, step];
    if (!(await postMovement(transaction, movementOf([{ before, steps }]), now))) {
      throw new Error(`account ${accountId} moved while its row was locked`);
    }
    const after = step?.account ?? settled.account;
    if (after.timeZone !== account.timeZone || after.threshold !== account.threshold) {
      await writeAccountSettings(transaction, after);
      await recordSettings(transaction, { accountId, now, by: whoSet(step?.changes ?? []) });
    }
    return decision;
  });
}

/** A setting is changed only with a change that its history tells. */
function whoSet(changes: readonly SubscriptionChange[]): string {
  const change = changes.findLast(
    ({ kind }) => kind === "time_zone_changed" || kind === "threshold_changed",
  );
  if (change === undefined) throw new Error("a setting changed and no change says by whom");
  return change.by;
}
