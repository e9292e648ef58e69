import { z } from "zod";
import { type AlertSettings, DEFAULT_ALERTS } from "../core/alerts/alert-settings.ts";
import type { Instant } from "../core/line/account.ts";
import { cursorsOf, type PageRequest, pageOf, WHOLE } from "./cursor.ts";
import { noun } from "./noun.ts";
import { accountId, count, instant } from "./wire.ts";

/** An alert that was raised. */
export const alert = noun({
  account_id: accountId,
  sequence: count,
  kind: z.string().meta({ description: "There may be more than are documented." }),
  subject: z.string().meta({ description: "Of a budget: `<dimension>=<value>`." }),
  window: z.string().meta({ description: "Within which it is raised once." }),
  level: z.number().int().meta({ description: "Percent, or days of runway; 0: it has no levels." }),
  used: count
    .nullable()
    .meta({ description: "Micro-credits, or in the minor unit of `currency`." }),
  limit: count.nullable().meta({ description: "What `used` is compared with." }),
  currency: z.string().nullable().meta({ description: "null: credits." }),
  cause: z.string(),
  reason: z.string().meta({ description: "A sentence for the customer." }),
  occurred_at: instant,
  raised_at: instant,
}).meta({ title: "Alert" });

const cursors = cursorsOf("alerts", [WHOLE]);

/** A page of alerts, newest first. `read` gives the last ones before a sequence in that order. */
export async function alertPage<T extends { readonly sequence: bigint }>(
  { limit, cursor }: PageRequest,
  read: (asked: { before: bigint | null; limit: number }) => Promise<readonly T[]>,
) {
  const [before] = cursors.read(cursor) ?? [];
  const asked = { before: before === undefined ? null : BigInt(before), limit: limit + 1 };
  return pageOf(await read(asked), limit, (last) => cursors.of(last.sequence));
}

export const alertSettingsFields = {
  account_id: accountId,
  on: z.boolean().meta({ description: "false: it is told nothing; the rest is the default." }),
  month_percents: z.array(z.number().int()).meta({ description: "Of the month's credits." }),
  top_up_percents: z
    .array(z.number().int())
    .meta({ description: "Of what may be charged for top-ups in a month." }),
  budget_percents: z
    .array(z.number().int())
    .meta({ description: "Of each budget that the account has." }),
  runway_days: z
    .number()
    .int()
    .nullable()
    .meta({ description: "Told once the credits last for fewer days; null: never." }),
  top_ups: z.boolean().meta({ description: "Auto top-up is declined, paused or stopped." }),
  set_by: z.string().nullable(),
  set_at: instant.nullable(),
};

/** What an account asks to be told of. */
export const alertSettings = noun(alertSettingsFields).meta({ title: "Alert settings" });

/** Settings as they are shown; null: the account asks for nothing. */
export function toAlertSettings<Id>(
  accountId: Id,
  set: (AlertSettings & { readonly by: string; readonly at: Instant }) | null,
) {
  if (set === null) return { accountId, on: false, ...DEFAULT_ALERTS, setBy: null, setAt: null };
  const { by, at, ...settings } = set;
  return { accountId, on: true, ...settings, setBy: by, setAt: at };
}
