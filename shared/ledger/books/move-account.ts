import type { Account, AccountId, Entry, Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import type { AccountBook } from "../../core/month/account-book.ts";
import { uptoClock } from "../../core/month/expiry.ts";
import { movementOf, type Steps } from "../../core/month/movement.ts";
import { type Settlement, settle } from "../../core/month/settle.ts";
import type { SubscriptionChange } from "../../core/month/subscription.ts";
import type { Catalogue } from "../../core/offer/catalogue.ts";
import type { ChargeCurrency } from "../../core/payments/charge-limits.ts";
import { raiseMonthAlerts } from "../alerts/month-alerts.ts";
import { readCatalogue } from "../catalogue/catalogue.ts";
import { type Database, inTransaction, type Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { lockAllDetails, writeAccountSettings } from "./account-details.ts";
import { recountBudgets } from "./count-budgets.ts";
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

/** Accounts to move in one transaction. */
interface AccountsNow extends Omit<AccountNow, "accountId"> {
  readonly accountIds: readonly AccountId[];
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
  { accountId, ...at }: AccountNow,
  decide: (settled: SettledAccount, transaction: Transaction) => Decided<D> | Promise<Decided<D>>,
): Promise<D | UnknownAccount> {
  const decisions = await moveAccounts<D>(
    database,
    { accountIds: [accountId], ...at },
    async (accounts, transaction) => {
      const decided = new Map<AccountId, Decided<D>>();
      for (const [id, settled] of accounts) decided.set(id, await decide(settled, transaction));
      return decided;
    },
  );
  const [first] = decisions;
  return first === undefined ? { kind: "unknown_account", accountId } : first[1];
}

/**
 * The same for a set of accounts, which all change or none. Returns the decisions; accounts that do not
 * exist have none.
 */
export async function moveAccounts<D>(
  database: Database,
  { accountIds, now, by = null }: AccountsNow,
  decide: (
    accounts: ReadonlyMap<AccountId, SettledAccount>,
    transaction: Transaction,
  ) => Promise<ReadonlyMap<AccountId, Decided<D>>>,
): Promise<ReadonlyMap<AccountId, D>> {
  return inTransaction(database, async (transaction) => {
    const read = await readSettled(transaction, accountIds, now);
    if (read.size === 0) return new Map();
    const fellDue = [...read.values()].flatMap(({ settled }) => changesOf(settled));
    await endAutoTopUps(transaction, fellDue, now);

    const decided = await decide(
      new Map([...read].map(([id, { account }]) => [id, account])),
      transaction,
    );
    const moves = [...read].map(([id, { before, settled }]) =>
      moveOf(before, settled, decided.get(id), by),
    );
    const movement = movementOf(moves);
    if ((await postMovement(transaction, movement, now)) === null) {
      throw new Error("an account moved while its row was locked");
    }
    await raiseMonthAlerts(transaction, movement, now);
    const changes = moves.flatMap(({ step }) => (step === null ? [] : changesOf(step)));
    await endAutoTopUps(transaction, changes, now);
    for (const { before, steps, step } of moves) {
      const after = steps.at(-1)?.account ?? before.account;
      await writeSettings(transaction, before.account, after, {
        changes: step?.changes ?? [],
        now,
      });
    }
    return new Map([...decided].map(([id, { decision }]) => [id, decision]));
  });
}

/** An account as it was read, and settled. */
interface ReadAccount {
  readonly before: AccountBook;
  readonly settled: Settlement;
  readonly account: SettledAccount;
}

/** The accounts that exist, locked and settled, by id. */
async function readSettled(
  transaction: Transaction,
  accountIds: readonly AccountId[],
  now: Instant,
): Promise<Map<AccountId, ReadAccount>> {
  const [details, catalogue, completeUntil, books] = await together([
    lockAllDetails(transaction, accountIds),
    readCatalogue(transaction),
    readCompleteUntil(transaction, now),
    readBooks(transaction, accountIds),
  ]);
  const upto = uptoClock(now, completeUntil);
  const read = new Map<AccountId, ReadAccount>();
  for (const [accountId, { account, createdAt: _, ...charged }] of details) {
    const rest = books.get(accountId);
    if (rest === undefined) throw new Error(`the book of account ${accountId} was not read`);
    const before = { account, ...rest };
    const settled = settle(before, catalogue, upto);
    const posted = settled.entries;
    read.set(accountId, {
      before,
      settled,
      account: { book: settled, posted, ...charged, catalogue },
    });
  }
  return read;
}

function changesOf({ account: { accountId }, changes }: Settlement) {
  return changes.map((change) => ({ accountId, change }));
}

/** The steps of an account, of which `step` was decided on. */
function moveOf<D>(
  before: AccountBook,
  settled: Settlement,
  decided: Decided<D> | undefined,
  by: string | null,
): Steps & { readonly step: Settlement | null } {
  const { step: made = null, ended = null, by: poster = by } = decided ?? {};
  const step = made && {
    ...made,
    entries: made.entries.map((entry) => ({ ...entry, postedBy: poster })),
  };
  return { before, step, steps: [settled, ended, step].filter((done) => done !== null) };
}

const SETTINGS = ["timeZone", "threshold", "overdraft"] as const;

const SET_BY: ReadonlySet<string> = new Set([
  ...["time_zone_changed", "threshold_changed", "overdraft_changed"],
]);

async function writeSettings(
  transaction: Transaction,
  before: Account,
  after: Account,
  { changes, now }: { readonly changes: readonly SubscriptionChange[]; readonly now: Instant },
): Promise<void> {
  if (SETTINGS.every((setting) => after[setting] === before[setting])) return;
  await writeAccountSettings(transaction, after);
  if (after.timeZone !== before.timeZone) await recountBudgets(transaction, after, now);
  const { accountId } = after;
  await recordSettings(transaction, { accountId, now, by: whoSet(changes) });
}

/** A setting changes only together with a change in the history. */
function whoSet(changes: readonly SubscriptionChange[]): string {
  const change = changes.findLast(({ kind }) => SET_BY.has(kind));
  if (change === undefined) throw new Error("a setting changed and no change says by whom");
  return change.by;
}
