import { z } from "zod";
import type { Entry } from "../core/line/account.ts";
import { balanceOf } from "../core/line/credit-line.ts";
import { cursorsOf, type PageRequest, pageOf, WHOLE } from "./cursor.ts";
import { noun } from "./noun.ts";
import { count, credits, instant } from "./wire.ts";

/** An entry right after it was posted. */
export const newEntryFields = {
  sequence: count,
  kind: z.enum(["grant", "expiry", "add_on_charge", "adjustment", "reversal"]),
  credits: credits.meta({ description: "The change of the balance, signed." }),
  balance: credits.meta({ description: "After it." }),
  lot_id: z.string().nullable(),
  reference: z.string(),
  due_at: instant,
};

export const newEntry = noun(newEntryFields);

/** Who requested a change. */
export const postedBy = z.string().nullable().meta({
  description:
    "Who requested it: `key:<id>`, `token:<account>`, `gateway`, or a user of the command line. null: Drawdown itself. A dashboard token reads `customer`, `seller` or `automatic` instead, here and wherever an answer names who made a change.",
});

/** A posted change that is not usage. */
export const entry = noun({
  ...newEntryFields,
  used_before: credits.meta({ description: "Usage between the entry before it and this one." }),
  posted_at: instant,
  posted_by: postedBy,
}).meta({ title: "Entry" });

const cursors = cursorsOf("entries", [WHOLE]);

/** A page of entries, newest first. `read` gives the last ones before a sequence, oldest first. */
export async function entryPage<Posted extends Entry>(
  { limit, cursor }: PageRequest,
  read: (asked: { before: bigint | null; limit: number }) => Promise<readonly Posted[]>,
) {
  const [before] = cursors.read(cursor) ?? [];
  const asked = { before: before === undefined ? null : BigInt(before), limit: limit + 1 };
  return pageOf((await read(asked)).toReversed().map(toEntry), limit, (last) =>
    cursors.of(last.sequence),
  );
}

export function toEntry<Posted extends Entry>(posted: Posted) {
  return { ...posted, postedBy: posted.postedBy ?? null, balance: balanceOf(posted) };
}

export type EntryData = z.input<typeof entry>;
