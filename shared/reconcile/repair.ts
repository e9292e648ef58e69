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
import { correctRecord, removeRecord, restoreRecord } from "../ledger/proof/restore-records.ts";
import { accountOf, type Found, idOf, type PlacedDifference } from "./difference.ts";
import { keepMessage, type MissedMessages } from "./keep-message.ts";

/**
 * How a difference is repaired. History is never changed: what was metered wrongly is answered by an
 * entry of its own, what was never metered is metered now, and a row that says something else than
 * topic and line together say is put back to what they say.
 */
export interface RepairPlan {
  readonly what: RepairKind;
  /** What it gives the account (below zero: takes), of an entry or of usage that is metered now. */
  readonly credits: MicroCredits;
  /** False: the books are no longer as they were found. */
  post(repairing: Repairing, noted: Repair): Promise<boolean>;
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

/** What repairing works with. */
export interface Repairing {
  readonly database: Database;
  /** The messages of the differences that are kept as dead letters. */
  readonly messages: MissedMessages;
  readonly by: string;
  readonly now: Instant;
}

/** How a difference would be repaired; null: it takes somebody's decision. */
export function planRepair(found: Found): RepairPlan | null {
  if ("event" in found || "record" in found) return planOfRecord(found);
  switch (found.kind) {
    case "not_kept":
      return plan("dead_letter", ({ database, messages }, noted) =>
        keepMessage(database, messages.at(found.place), { retry: false }, noted),
      );
    case "missing_entry":
    case "other_entry": {
      const { told } = found;
      if (told === null || (found.kind === "other_entry" && !isSameMovement(found))) return null;
      return plan("entry_restored", ({ database }, noted) => restoreEntry(database, told, noted));
    }
    case "missing_lot":
      if (!isOfTopUp(found.lotId)) return null;
      return plan("lot_restored", ({ database }, noted) => restoreTopUpLot(database, found, noted));
    case "ungranted_top_up":
      return plan(
        "top_up_granted",
        ({ database }, noted) => grantPaidTopUp(database, found, noted),
        found.credits,
      );
    case "position_moved":
      // Something was drawn from where it should not have stood: that history stays, and is answered.
      if (found.position - found.by !== found.drawnTo) {
        return adjustment("adjustment", found.by, { lineBy: found.by });
      }
      return plan(
        "position_restored",
        ({ database }, noted) => restorePosition(database, found, noted),
        found.by,
      );
    case "not_told":
      if (found.topic !== TOPICS.credits) return null;
      return plan("told_again", ({ database }, noted) => republishEntries(database, found, noted));
    case "balance_not_told":
      return plan("told_again", ({ database }, noted) => republishBalance(database, noted));
    case "unmatched_charge":
    case "broken_invariant":
      return null;
  }
}

/** False: books restored from a backup have posted another movement under a sequence told before. */
function isSameMovement({ told, held }: Extract<Found, { kind: "other_entry" }>): boolean {
  if (told.kind !== held.kind || told.lotId !== held.lotId) return false;
  return told.lotId !== null || told.reference === held.reference;
}

function planOfRecord(found: PlacedDifference): RepairPlan | null {
  switch (found.kind) {
    case "missing_record": {
      const { event, credits, onLine } = found;
      if (onLine !== null) {
        return plan("record_restored", ({ database }, noted) =>
          restoreRecord(database, { event, credits, ...onLine }, noted),
        );
      }
      return plan(
        "late_usage",
        ({ database, messages }, noted) =>
          keepMessage(database, messages.at(event), { retry: true }, noted),
        -credits,
      );
    }
    case "extra_record": {
      const { record, isDrawn } = found;
      if (isDrawn && record.credits > 0n) return adjustment("reversal", record.credits);
      return plan("record_removed", ({ database }, noted) => removeRecord(database, record, noted));
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
  return plan("record_corrected", ({ database }, noted) =>
    correctRecord(database, record, { event, credits, ...onLine }, noted),
  );
}

function plan(what: RepairKind, post: RepairPlan["post"], credits: MicroCredits = 0n): RepairPlan {
  return { what, credits, post };
}

/** Gives credits, or takes them, by an entry that names the difference and is posted once. */
function adjustment(
  what: RepairKind,
  credits: MicroCredits,
  line: Pick<Repair, "lineBy"> = {},
): RepairPlan {
  return plan(
    what,
    async ({ database }, noted) => {
      const accountId = toAccountId(noted.accountId);
      const [name, now] = [`repair:${noted.difference}`, noted.at];
      const outcome =
        credits < 0n
          ? await takeCredits(database, { accountId, now }, { credits: -credits, reference: name })
          : await grantCredits(
              database,
              accountId,
              {
                ...{ lotId: name, credits, source: "adjustment", reference: name },
                end: { kind: "usual" },
              },
              now,
            );
      if (!["granted", "deducted", "already_exists"].includes(outcome.kind)) return false;
      await recordRepair(database, { ...noted, ...line });
      return true;
    },
    credits,
  );
}

/** Repairs a difference; asked again, nothing more is repaired. False: it is no longer as it was found. */
export async function repair(
  repairing: Repairing,
  found: Found,
  { what, post }: RepairPlan,
): Promise<boolean> {
  const { by, now: at } = repairing;
  const about = { accountId: accountOf(found) ?? "", difference: idOf(found) };
  return post(repairing, { ...about, what, by, at, detail: found });
}
