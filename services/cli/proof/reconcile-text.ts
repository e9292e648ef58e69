import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf, countText } from "../../../shared/core/text/text.ts";
import { describeDifference } from "../../../shared/reconcile/describe-difference.ts";
import { accountOf, type Found } from "../../../shared/reconcile/difference.ts";
import type { Reconciliation } from "../../../shared/reconcile/reconcile.ts";
import { planRepair } from "../../../shared/reconcile/repair.ts";
import { fields, printable } from "../shell/print.ts";

/** How much of what could be compared is right. */
interface Completeness {
  readonly events: bigint;
  readonly verifiedEvents: bigint;
  readonly credits: bigint;
  readonly verifiedCredits: bigint;
}

export function completenessOf({ usage, cut, differences }: Reconciliation): Completeness {
  const right = BigInt(usage.metered + usage.repeats + usage.deadLetters);
  const wrong = differences.reduce((sum, found) => sum + creditsOf(found), 0n);
  return {
    events: BigInt(usage.messages) + cut.pastRetention.records,
    verifiedEvents: right,
    credits: usage.credits + wrong + cut.pastRetention.credits,
    verifiedCredits: usage.credits,
  };
}

/** The credits of usage that is not right. */
function creditsOf(found: Found): bigint {
  switch (found.kind) {
    case "missing_record":
      return found.credits;
    case "extra_record":
    case "other_price":
    case "other_content":
    case "other_account":
      return found.record.credits;
    default:
      return 0n;
  }
}

/** "99.99 %": never 100 if anything is missing. */
function percent(part: bigint, whole: bigint): string {
  if (whole === 0n || part === whole) return "100 %";
  const hundredths = ((part * 10_000n) / whole).toString().padStart(3, "0");
  return `${hundredths.slice(0, -2)}.${hundredths.slice(-2)} %`;
}

export function reconciliationText(found: Reconciliation): string {
  const { cut, usage, published, answered } = found;
  const whole = completenessOf(found);
  const ranges = [...cut.ranges].map(
    ([partition, { from, to }]) => `${partition}: ${from} to ${to}`,
  );
  const rows: [string, string][] = [
    ["state of the books at", formatInstant(cut.at)],
    ["offsets of usage.events", ranges.join(", ")],
    [
      "events",
      `${countText(whole.verifiedEvents)} of ${countOf(whole.events, "message")}: ${[
        `${countText(usage.metered)} metered`,
        countOf(usage.repeats, "repeat"),
        countOf(usage.deadLetters, "dead letter"),
      ].join(", ")}`,
    ],
    ["credits", `${formatCredits(whole.verifiedCredits)} of ${formatCredits(whole.credits)} used`],
  ];
  if (published !== null) rows.push(["billing topics", countOf(published.records, "record")]);
  const comparedTo = found.charges?.comparedTo ?? null;
  if (comparedTo !== null) {
    rows.push(["charges at the gateway", `compared up to ${formatInstant(comparedTo)}`]);
  }
  if (answered > 0) rows.push(["repaired by entries", countOf(answered, "difference")]);
  const lines = [fields(rows), ...notVerified(found).map((line) => `Not verified: ${line}`)];
  if (found.differences.length > 0) lines.push("", differencesText(found.differences));
  if (found.more > 0) lines.push(`and ${countOf(found.more, "more", "more")}`);
  const share = percent(whole.verifiedEvents, whole.events);
  const ofCredits = percent(whole.verifiedCredits, whole.credits);
  const count = BigInt(found.differences.length + found.more);
  lines.push(
    "",
    `${share} of events and ${ofCredits} of credits verified, ${count === 0n ? "no differences" : countOf(count, "difference")}.`,
  );
  return lines.join("\n");
}

/** What could not be compared, and why. */
function notVerified({ cut, usage, published, charges }: Reconciliation): string[] {
  const lines: string[] = [];
  if (cut.dropped !== null) {
    const { events, credits, until } = cut.dropped;
    lines.push(
      `${countOf(events, "event")} of ${formatCredits(credits)} credits from before ${formatInstant(until)}, which are past the books' retention`,
    );
  }
  if (usage.past > 0) {
    lines.push(
      `${countOf(usage.past, "message")} without a record, of usage from then: each may repeat an event that is past retention`,
    );
  }
  const { records, credits } = cut.pastRetention;
  if (records > 0n) {
    lines.push(
      `${countOf(records, "record")} of ${formatCredits(credits)} credits, whose messages are past the topic's retention`,
    );
  }
  if (cut.unread > 0n) lines.push(`${countOf(cut.unread, "message")} not metered yet`);
  if (!cut.isWhole)
    lines.push("the consistency of the books themselves, because only a part was in scope");
  if (charges?.hasGatewayPayments === true && charges.comparedTo === null) {
    lines.push("charges at the gateway, which the top-up service has not compared yet");
  }
  if (published !== null && published.pastRetention > 0) {
    lines.push(
      `${countOf(published.pastRetention, "record")} of billing topics, past their retention`,
    );
  }
  return lines;
}

export function differencesText(found: readonly Found[]): string {
  return found
    .map((difference) => {
      const account = printable(accountOf(difference) ?? "(no account)");
      return `${account}  ${printable(describeDifference(difference))}\n    repair: ${repairText(difference)}`;
    })
    .join("\n");
}

function repairText(found: Found): string {
  const plan = planRepair(found);
  if (plan === null) return "by hand";
  if (plan.credits === 0n) return plan.what;
  return `${plan.what}, ${plan.credits > 0n ? "+" : ""}${formatCredits(plan.credits)} credits`;
}
