import type { AccountId, Entry, Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import type { AccountBook } from "../../core/month/account-book.ts";
import { uptoClock } from "../../core/month/expiry.ts";
import { movementOf } from "../../core/month/movement.ts";
import { type Settlement, settle } from "../../core/month/settle.ts";
import type { SubscriptionChange } from "../../core/month/subscription.ts";
import type { Catalogue } from "../../core/offer/catalogue.ts";
import type { ChargeCurrency } from "../../core/payments/charge-limits.ts";
import { readCatalogue } from "../catalogue/catalogue.ts";
import { type Database, inTransaction, type Transaction } from "../postgres/database.ts";
import { lockAccount, writeAccountSettings } from "./account-details.ts";
import { endAutoTopUps } from "./end-auto-top-ups.ts";
import { postMovement } from "./post-movement.ts";
import { readBooks } from "./read-books.ts";
import { recordSettings } from "./setting-changes.ts";
import { readCompleteUntil } from "./usage-complete.ts";

export type UnknownAccount = Refusal<"unknown_account">;

/** The account to move, and the instant by the clock. */
export interface AccountNow {
  readonly accountId: AccountId;
  readonly now: Instant;
  /** Who requested the change; null or left out: Drawdown itself. */
  readonly by?: string | null;
}

/** The same, requested by someone. */
export interface RequestedBy extends AccountNow {
  readonly by: string;
}

/** A settled account, locked until the transaction ends. */
export interface SettledAccount extends ChargeCurrency {
  readonly book: AccountBook;
  /** The entries that settling posts. They are written after the decision, so queries do not see them. */
  readonly posted: readonly Entry[];
  readonly catalogue: Catalogue;
}

/** A decision, and the change it makes; `step` null: the account is only settled. */
export interface Decided<D> {
  readonly decision: D;
  readonly step: Settlement | null;
  /** What fell due and is posted before the change, which no grace delays (`settleEnded`). */
  readonly ended?: Settlement | null | undefined;
  /** Who requested it, where only the decision finds that out. */
  readonly by?: string;
}

/**
 * Changes one account in one transaction. It is settled first, under the settings in force until then,
 * even if the decision is a refusal. The account row is locked, so this never has to run again; a
 * metering batch that has read the account does.
 */
export async function moveAccount<D>(
  database: Database,
  { accountId, now, by = null }: AccountNow,
  decide: (settled: SettledAccount, transaction: Transaction) => Decided<D> | Promise<Decided<D>>,
): Promise<D | UnknownAccount> {
  return inTransaction(database, async (transaction) => {
    const ofAccount = (changes: readonly SubscriptionChange[]) =>
      changes.map((change) => ({ accountId, change }));
    const details = await lockAccount(transaction, accountId);
    if (details === null) return { kind: "unknown_account", accountId };
    const { account, createdAt: _, ...charged } = details;
    const catalogue = await readCatalogue(transaction);
    const completeUntil = await readCompleteUntil(transaction);
    const rest = (await readBooks(transaction, [accountId])).get(accountId);
    if (rest === undefined) throw new Error(`the book of account ${accountId} was not read`);
    const before = { account, ...rest };
    const settled = settle(before, catalogue, uptoClock(now, completeUntil));
    await endAutoTopUps(transaction, ofAccount(settled.changes), now);

    const {
      decision,
      step: decided,
      ended = null,
      by: poster = by,
    } = await decide(
      { book: settled, posted: settled.entries, ...charged, catalogue },
      transaction,
    );
    const step = decided && {
      ...decided,
      entries: decided.entries.map((entry) => ({ ...entry, postedBy: poster })),
    };
    const steps = [settled, ended, step].filter((done) => done !== null);
    if (!(await postMovement(transaction, movementOf([{ before, steps }]), now))) {
      throw new Error(`account ${accountId} moved while its row was locked`);
    }
    await endAutoTopUps(transaction, ofAccount(step?.changes ?? []), now);
    const after = (step ?? ended ?? settled).account;
    if (after.timeZone !== account.timeZone || after.threshold !== account.threshold) {
      await writeAccountSettings(transaction, after);
      await recordSettings(transaction, { accountId, now, by: whoSet(step?.changes ?? []) });
    }
    return decision;
  });
}

/** A setting changes only together with a change in the history. */
function whoSet(changes: readonly SubscriptionChange[]): string {
  const change = changes.findLast(
    ({ kind }) => kind === "time_zone_changed" || kind === "threshold_changed",
  );
  if (change === undefined) throw new Error("a setting changed and no change says by whom");
  return change.by;
}
