import type { Shortage } from "../../../shared/core/payments/shortage.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";

const WHY: Readonly<Record<Shortage["why"], string>> = {
  no_credits: "auto top-up is off, or not needed yet",
  top_up_under_way: "a top-up is under way",
  top_up_paused: "auto top-up is paused",
  top_up_at_limit: "auto top-up is at its limit",
  top_up_stopped: "auto top-up is stopped, or has no payment method",
};

/** Why an account has too few credits, and when that may change by itself, as the end of a sentence. */
export function shortageText({ why, topUpAt, nextCreditsAt }: Shortage): string {
  const until = topUpAt === null ? "" : ` until ${formatInstant(topUpAt)}`;
  const month =
    nextCreditsAt === null ? "" : `; the month's credits come at ${formatInstant(nextCreditsAt)}`;
  return `${WHY[why]}${until}${month}`;
}
