import type { Instant } from "../core/line/account.ts";
import type { MicroCredits } from "../core/line/credit-line.ts";
import { toAccountId } from "../core/text/text.ts";
import { TOPICS } from "../core/text/topics.ts";
import { takeCredits } from "../ledger/credits/adjust-credits.ts";
import { grantCredits } from "../ledger/credits/grant-credits.ts";
import type { Database } from "../ledger/postgres/database.ts";
import { type Repair, recordRepair } from "../ledger/proof/repairs.ts";
import { republishBalance, republishEntries } from "../ledger/proof/republish.ts";
import {
  grantPaidTopUp,
  isOfTopUp,
  restoreEntry,
  restoreTopUpLot,
} from "../ledger/proof/restore-entries.ts";
import { restorePosition } from "../ledger/proof/restore-position.ts";
import { restoreRecord } from "../ledger/proof/restore-records.ts";
import { accountOf, type Found, idOf, type PlacedDifference } from "./difference.ts";
import { keepMessage, type MissedMessages } from "./keep-message.ts";

/**
 * How a difference is repaired. History is never changed: wrongly metered usage is corrected by an entry
 * of its own, unmetered usage is metered now, and a row that contradicts both topic and line is restored
 * from them.
 */
export interface RepairPlan {
  readonly what: RepairKind;
  /** The change of the account's balance, in micro-credits. */
  readonly credits: MicroCredits;
  /** False: the books have changed since the difference was found. */
  post(repairing: Repairing, entry: Repair): Promise<boolean>;
}

type RepairKind =
  | "adjustment"
  | "late_usage"
  | "reversal"
  | "dead_letter"
  | "record_restored"
  | "record_corrected"
  | "record_removed"
  | "entry_restored"
  | "lot_restored"
  | "top_up_granted"
  | "position_restored"
  | "told_again";

export interface Repairing {
  readonly database: Database;
  /** The messages to store as dead letters. */
  readonly messages: MissedMessages;
  readonly by: string;
  readonly now: Instant;
}

/** How a difference would be repaired; null: it needs a decision. */
export function planRepair(found: Found): RepairPlan | null {
  if ("event" in found || "record" in found) return planOfRecord(found);
  switch (found.kind) {
    case "not_kept":
      return plan("dead_letter", ({ database, messages }, entry) =>
        keepMessage(database, messages.at(found.place), { retry: false }, entry),
      );
    case "missing_entry":
    case "other_entry":
      return planOfEntry(found);
    case "missing_lot":
      if (!isOfTopUp(found.lotId)) return null;
      return plan("lot_restored", ({ database }, entry) => restoreTopUpLot(database, found, entry));
    case "ungranted_top_up":
      return plan(
        "top_up_granted",
        ({ database }, entry) => grantPaidTopUp(database, found, entry),
        found.credits,
      );
    case "position_moved":
      // Usage was drawn from the wrong position since: that history stays, and an entry corrects it.
      if (found.position - found.by !== found.drawnTo) {
        return adjustment("adjustment", found.by, { lineBy: found.by });
      }
      return plan(
        "position_restored",
        ({ database }, entry) => restorePosition(database, found, entry),
        found.by,
      );
    case "not_told":
      if (found.topic !== TOPICS.credits) return null;
      return plan("told_again", ({ database }, entry) => republishEntries(database, found, entry));
    case "balance_not_told":
    case "balance_overtaken":
      return plan("told_again", ({ database }, entry) => republishBalance(database, entry));
    case "balance_ahead":
    case "unreadable_record":
    case "unmatched_charge":
    case "broken_invariant":
      return null;
  }
}

function planOfEntry(
  found: Extract<Found, { kind: "missing_entry" | "other_entry" }>,
): RepairPlan | null {
  const { published, isContradicted } = found;
  // Of two records that differ, at least one is forged.
  if (published === null || isContradicted) return null;
  const isOfBooks = found.kind === "missing_entry" ? found.isCounted : isSameMovement(found);
  if (!isOfBooks) return null;
  return plan("entry_restored", ({ database }, entry) => restoreEntry(database, published, entry));
}

/** False: books restored from a backup have posted another movement under a published sequence. */
function isSameMovement({ published, inBooks }: Extract<Found, { kind: "other_entry" }>): boolean {
  if (published.kind !== inBooks.kind || published.lotId !== inBooks.lotId) return false;
  return published.lotId !== null || published.reference === inBooks.reference;
}

function planOfRecord(found: PlacedDifference): RepairPlan | null {
  switch (found.kind) {
    case "missing_record": {
      const { event, credits, onLine } = found;
      if (onLine !== null) {
        return plan("record_restored", ({ database }, entry) =>
          restoreRecord(database, null, { event, ...onLine }, entry),
        );
      }
      return plan(
        "late_usage",
        ({ database, messages }, entry) =>
          keepMessage(database, messages.at(event), { retry: true }, entry),
        -credits,
      );
    }
    case "extra_record": {
      const { record, isDrawn } = found;
      if (isDrawn && record.credits > 0n) return adjustment("reversal", record.credits);
      return plan("record_removed", ({ database }, entry) =>
        restoreRecord(database, record, null, entry),
      );
    }
    default:
      return planOfWrongRecord(found);
  }
}

function planOfWrongRecord(
  found: Extract<PlacedDifference, { kind: "other_price" | "other_content" | "other_account" }>,
): RepairPlan | null {
  const { record, credits, onLine, isDrawn } = found;
  if (credits === null) return null;
  if (onLine === null) {
    const wasDrawn = isDrawn && record.credits !== credits;
    return wasDrawn ? adjustment("adjustment", record.credits - credits) : null;
  }
  const event = found.kind === "other_price" ? record : found.event;
  return plan("record_corrected", ({ database }, entry) =>
    restoreRecord(database, record, { event, ...onLine }, entry),
  );
}

function plan(what: RepairKind, post: RepairPlan["post"], credits: MicroCredits = 0n): RepairPlan {
  return { what, credits, post };
}

/** Grants or deducts credits by an entry that is named after the difference, and so posted once. */
function adjustment(
  what: RepairKind,
  credits: MicroCredits,
  line: Pick<Repair, "lineBy"> = {},
): RepairPlan {
  return plan(
    what,
    async ({ database }, entry) => {
      const accountId = toAccountId(entry.accountId);
      const { at: now, by } = entry;
      const name = `repair:${entry.difference}`;
      const outcome =
        credits < 0n
          ? await takeCredits(
              database,
              { accountId, now, by },
              { credits: -credits, reference: name },
            )
          : await grantCredits(
              database,
              accountId,
              {
                ...{ lotId: name, credits, source: "adjustment", reference: name },
                end: { kind: "usual" },
              },
              now,
              by,
            );
      if (!["granted", "deducted", "already_exists"].includes(outcome.kind)) return false;
      await recordRepair(database, { ...entry, ...line });
      return true;
    },
    credits,
  );
}

/** Repairs a difference; repeated, it changes nothing more. False: the books have changed since. */
export async function repair(
  repairing: Repairing,
  found: Found,
  { what, post }: RepairPlan,
): Promise<boolean> {
  const { by, now: at } = repairing;
  const about = { accountId: accountOf(found) ?? "", difference: idOf(found) };
  return post(repairing, { ...about, what, by, at, detail: found });
}
