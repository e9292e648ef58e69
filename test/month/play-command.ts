import type { Instant } from "../../shared/core/line/account.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { readCompleteUntil } from "../../shared/ledger/books/usage-complete.ts";
import { changeSubscription } from "../../shared/ledger/credits/change-subscription.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { withdrawLot } from "../../shared/ledger/credits/withdraw-lot.ts";
import { type DuePlace, settleAccounts } from "../../shared/ledger/month/settle-accounts.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { type ChangeStep, type CommandStep, deciderOf } from "./decider-of.ts";

/** Plays a command on the real books; returns its outcome in the model's terms. */
export async function playCommand(database: Database, step: CommandStep): Promise<string> {
  switch (step.kind) {
    case "grant":
      return await playGrant(database, step);
    case "withdraw":
      return await playWithdrawal(database, step);
    default:
      return await playChange(database, step);
  }
}

async function playGrant(
  database: Database,
  { account, at, lot: lotId, credits, end }: Extract<CommandStep, { kind: "grant" }>,
): Promise<string> {
  const asked = { lotId, credits: BigInt(credits), reference: "", end };
  const promotion = { ...asked, source: "promotion" } as const;
  const { kind } = await grantCredits(database, toAccountId(account), promotion, at);
  return kind;
}

async function playWithdrawal(
  database: Database,
  { account, at, lot: lotId, credits }: Extract<CommandStep, { kind: "withdraw" }>,
): Promise<string> {
  const place = { accountId: toAccountId(account), now: at };
  const asked = { lotId, credits: credits === null ? null : BigInt(credits), reference: "" };
  return (await withdrawLot(database, place, asked)).kind;
}

async function playChange(database: Database, step: ChangeStep): Promise<string> {
  const asked = { accountId: toAccountId(step.account), now: step.at, by: "time machine" };
  const decide = deciderOf(step);
  // Whether an account can pay is not part of these histories.
  const decision = await changeSubscription(database, asked, (context) =>
    decide({ ...context, wayToPay: "payment_method", unpaidFees: [] }),
  );
  if (!("changes" in decision)) return decision.kind;
  return decision.changes.map(({ kind }) => kind).join(", ");
}

/** A run of the scheduler: settles every account that is due, a limited number per transaction. */
export async function runScheduler(database: Database, clock: Instant, limit = 100): Promise<void> {
  const completeUntil = await readCompleteUntil(database, clock);
  let next: DuePlace | null = null;
  do {
    ({ next } = await settleAccounts(database, { clock, completeUntil, limit }, next));
  } while (next !== null);
}
