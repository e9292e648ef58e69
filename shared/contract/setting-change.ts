import { z } from "zod";
import type { SettingChange } from "../core/history/account-settings.ts";
import { cursorsOf, type PageRequest, pageOf, SMALL } from "./cursor.ts";
import { noun } from "./noun.ts";
import { credits, instant, money, overdraft } from "./wire.ts";

/** As it was set; null: the default. */
const set = {
  amount: money.nullable(),
  limit_per_day: money.nullable(),
  limit_per_month: money.nullable(),
};

/** All settings of an account from an instant on, and who changed them. */
export const settingChange = noun({
  sequence: z.number().int(),
  at: instant,
  by: z.string(),
  time_zone: z.string(),
  threshold: credits,
  overdraft: overdraft.nullable(),
  auto_top_up: noun({
    enabled: z.boolean(),
    ...set,
    keep_after_subscription: z.boolean(),
    ceilings: noun(set).meta({
      title: "Top-up ceilings setting",
      description: "Set by the seller.",
    }),
  }).meta({ title: "Auto top-up setting" }),
}).meta({ title: "Setting change" });

function toSettingChange({ settings, ...change }: SettingChange) {
  const { autoTopUp, ...others } = settings;
  const { amount, perDay, perMonth } = autoTopUp.ceilings;
  const ceilings = { amount, limitPerDay: perDay, limitPerMonth: perMonth };
  return { ...change, ...others, autoTopUp: { ...autoTopUp, ceilings } };
}

const cursors = cursorsOf("setting-changes", [SMALL]);

/** A page of setting changes, newest first. `read` returns the last `limit` before a sequence (null: of all). */
export async function settingChangePage(
  { limit, cursor }: PageRequest,
  read: (range: { before: number | null; limit: number }) => Promise<readonly SettingChange[]>,
) {
  const [before] = cursors.read(cursor) ?? [];
  const range = { before: before === undefined ? null : Number(before), limit: limit + 1 };
  const changes = (await read(range)).map(toSettingChange);
  return pageOf(changes, limit, ({ sequence }) => cursors.of(sequence));
}
