import { type Hold, heldBy } from "../../../shared/core/holds/hold.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { moreLines } from "../shell/paging.ts";
import { fields, printable, table } from "../shell/print.ts";

/** What a hold is, in rows. */
export function holdText(hold: Hold): string {
  const { accountId, holdId, status, asked, credits, used, captured } = hold;
  return fields([
    ["hold", holdId],
    ["account", accountId],
    ["status", status],
    ["given", `${formatCredits(credits)} of ${formatCredits(asked)} credits`],
    ["used", formatCredits(used)],
    ...(captured === null ? [] : [["captured", formatCredits(captured)] as const]),
    ["held", formatCredits(heldBy(hold))],
    ["requested by", hold.requestedBy],
    ["made", formatInstant(hold.createdAt)],
    ["ends", formatInstant(hold.expiresAt)],
    ...(hold.endedAt === null ? [] : [["ended", formatInstant(hold.endedAt)] as const]),
  ]);
}

/** What has become of a hold, in a sentence. */
export function changedText(hold: Hold): string {
  const { holdId, accountId, status, endedAt, expiresAt } = hold;
  const held = `${formatCredits(heldBy(hold))} credits of ${printable(accountId)}`;
  const named = `Hold ${printable(holdId)}`;
  return endedAt === null
    ? `${named} is ${status}: it sets ${held} aside, until ${formatInstant(expiresAt)}.`
    : `${named} is ${status}: it has ended, at ${formatInstant(endedAt)}.`;
}

/** A page of holds. */
export function listedText(page: {
  readonly items: readonly Hold[];
  readonly nextCursor: string | null;
}): string {
  const holds = table(page.items, [
    ["HOLD", ({ holdId }) => holdId],
    ["STATUS", ({ status }) => status],
    ["GIVEN", ({ credits }) => formatCredits(credits), "right"],
    ["USED", ({ used }) => formatCredits(used), "right"],
    ["HELD", (hold) => formatCredits(heldBy(hold)), "right"],
    ["ENDS", ({ expiresAt, endedAt }) => formatInstant(endedAt ?? expiresAt)],
  ]);
  return [page.items.length === 0 ? "No holds." : holds, ...moreLines(page.nextCursor)].join("\n");
}
