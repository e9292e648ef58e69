import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import { idProblem } from "../../../shared/core/text/text.ts";
import { linesOf } from "../../../shared/core/usage/event-lines.ts";
import {
  type EventWindow,
  rejectEvent,
  type UsageEvent,
} from "../../../shared/core/usage/usage-event.ts";
import type { CloudEvent } from "./cloud-event.ts";
import type { Refusal } from "./refusal.ts";

/** Why metering would reject usage, or null. Applies metering's rules and names the event's fields. */
export function refuseUsage(
  usage: UsageEvent,
  valueField: string,
  event: CloudEvent,
  { now, window }: { readonly now: number; readonly window: EventWindow },
): Refusal | null {
  const rejection = rejectEvent(usage, now, window);
  if (rejection === null) return null;
  const { reason, detail } = rejection;
  const refused = { kind: "refused", reason } as const;
  switch (reason) {
    case "negative_quantity":
    case "overflow":
      return { ...refused, field: fieldOfQuantity(usage, valueField), detail };
    case "too_far_ahead":
    case "too_long_ago":
      return { ...refused, field: "time", detail: detail.replace("occurred_at", "time") };
    default:
      return { ...refused, ...fieldAndDetail(event, usage, detail) };
  }
}

/** Of several quantities, the first that metering would reject. */
function fieldOfQuantity(usage: UsageEvent, valueField: string): string {
  const wrong = linesOf(usage).find(({ quantity }) => quantity < 0n || quantity > MAX_BIGINT);
  const isFirst = wrong === undefined || wrong.meter === usage.meter;
  return isFirst ? valueField : `data.quantities.${wrong.meter}`;
}

function fieldAndDetail(
  event: CloudEvent,
  usage: UsageEvent,
  detail: string,
): Pick<Refusal, "field" | "detail"> {
  const idText = event.id === usage.eventId ? "id" : `id with /${usage.meter}`;
  const id = idProblem(idText, usage.eventId);
  if (id !== null) return { field: "id", detail: id };
  const subject = idProblem("subject", usage.accountId);
  if (subject !== null) return { field: "subject", detail: subject };
  const type = idProblem("type", usage.meter);
  if (type !== null) return { field: "type", detail: type };
  if (detail.startsWith("source")) return { field: "source", detail };
  if (detail.startsWith("hold_id")) return { field: "data.hold_id", detail };
  return { field: detail.includes("quantities") ? "data.quantities" : "data", detail };
}
