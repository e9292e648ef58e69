import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { count, credits, instant, totalCredits } from "../../../shared/contract/wire.ts";
import { describeDifference } from "../../../shared/reconcile/describe-difference.ts";
import { accountOf, type Found, idOf } from "../../../shared/reconcile/difference.ts";
import type { Reconciliation } from "../../../shared/reconcile/reconcile.ts";
import { planRepair } from "../../../shared/reconcile/repair.ts";
import { completenessOf } from "./reconcile-text.ts";

const counted = z.number().int();

export const reconciliationFields = {
  at: instant,
  ranges: z.array(noun({ partition: counted, from: count, to: count })),
  events: noun({
    messages: count,
    verified: count,
    metered: counted,
    repeats: counted,
    dead_letters: counted,
  }),
  credits: noun({ all: totalCredits, verified: totalCredits }),
  told: noun({ records: counted, past_retention: counted }).nullable(),
  charges_compared_to: instant.nullable(),
  not_verified: noun({
    past_retention: count,
    past_retention_credits: totalCredits,
    dropped: noun({ events: count, credits: totalCredits, until: instant }).nullable(),
    may_repeat_dropped: counted,
    not_read_yet: count,
    books_among_each_other: z.boolean(),
  }),
  repaired_by_entries: counted,
  differences: z.array(
    noun({
      kind: z.string(),
      id: z.string(),
      account_id: z.string().nullable(),
      says: z.string(),
      repair: noun({ what: z.string(), credits }).nullable(),
    }),
  ),
  more_differences: counted,
};

export const reconciliation = noun(reconciliationFields);

export function toReconciliation(found: Reconciliation) {
  const { cut, usage, published, charges } = found;
  const whole = completenessOf(found);
  return {
    at: cut.at,
    ranges: [...cut.ranges].map(([partition, range]) => ({ partition, ...range })),
    events: { ...usage, messages: whole.events, verified: whole.verifiedEvents },
    credits: { all: whole.credits, verified: whole.verifiedCredits },
    told: published,
    chargesComparedTo: charges?.comparedTo ?? null,
    notVerified: {
      pastRetention: cut.pastRetention.records,
      pastRetentionCredits: cut.pastRetention.credits,
      dropped: cut.dropped,
      mayRepeatDropped: usage.past,
      notReadYet: cut.unread,
      booksAmongEachOther: !cut.isWhole,
    },
    repairedByEntries: found.answered,
    differences: found.differences.map(toDifference),
    moreDifferences: found.more,
  };
}

function toDifference(found: Found) {
  return {
    ...{ kind: found.kind, id: idOf(found), accountId: accountOf(found) },
    says: describeDifference(found),
    repair: planRepair(found),
  };
}
