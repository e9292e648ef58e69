import type { AccountSettings, SettingChange } from "../../core/history/account-settings.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";

/**
 * The settings of an account, from `account LEFT JOIN auto_top_up`, in the form of a change's detail. What
 * was added to it later is left out unless it is set, so that older details are still the same.
 */
export const SETTINGS_JSON = `(
  jsonb_build_object(
    'time_zone', time_zone,
    'threshold', threshold::text,
    'auto_top_up', jsonb_build_object(
      'enabled', coalesce(enabled, true),
      'amount', amount::text,
      'limit_per_day', limit_per_day::text,
      'limit_per_month', limit_per_month::text)
      || CASE WHEN keep_after_subscription THEN '{"keep_after_subscription": true}'::jsonb
              ELSE '{}' END)
  || CASE WHEN num_nonnulls(most_amount, most_per_day, most_per_month) = 0 THEN '{}'
          ELSE jsonb_build_object('ceilings', jsonb_build_object(
            'amount', most_amount::text,
            'per_day', most_per_day::text,
            'per_month', most_per_month::text)) END
  || CASE WHEN overdraft IS NULL THEN '{}'
          ELSE jsonb_build_object('overdraft', overdraft::text) END)`;

const RECORD = `
  INSERT INTO setting_change (account_id, sequence, changed_at, changed_by, detail)
  SELECT account_id,
         (SELECT coalesce(max(sequence), 0) + 1 FROM setting_change WHERE account_id = $1),
         to_timestamp($2 / 1000.0), $3, ${SETTINGS_JSON}
  FROM account LEFT JOIN auto_top_up USING (account_id)
  WHERE account_id = $1`;

/** Adds an account's current settings to their history. The caller has locked the account and changed one. */
export async function recordSettings(
  transaction: Transaction,
  change: { readonly accountId: AccountId; readonly now: Instant; readonly by: string },
): Promise<void> {
  const values = [change.accountId, change.now, change.by];
  await transaction.query({ name: "record-settings", text: RECORD, values });
}

const LIST = `
  SELECT sequence, changed_at AS at, changed_by AS by, detail
  FROM setting_change
  WHERE account_id = $1
    AND ($2::integer IS NULL OR sequence < $2)
  ORDER BY sequence DESC
  LIMIT $3`;

/** As `recordSettings` writes it: amounts as decimal text. */
interface Detail {
  readonly time_zone: string;
  readonly threshold: string;
  readonly overdraft?: string;
  readonly auto_top_up: {
    readonly enabled: boolean;
    readonly amount: string | null;
    readonly limit_per_day: string | null;
    readonly limit_per_month: string | null;
    readonly keep_after_subscription?: true;
  };
  readonly ceilings?: Readonly<Record<"amount" | "per_day" | "per_month", string | null>>;
}

/**
 * The recorded history of an account's settings, newest first: the last `limit` changes (null: all) before
 * the sequence `before` (null: of all).
 */
export async function listSettingChanges(
  transaction: Transaction,
  accountId: AccountId,
  { before, limit }: { readonly before: number | null; readonly limit: number | null },
): Promise<SettingChange[]> {
  type Row = Omit<SettingChange, "settings"> & { readonly detail: Detail };
  const rows = await queryRows<Row>(transaction, LIST, [accountId, before, limit]);
  return rows.map(({ detail, ...change }) => ({ ...change, settings: toSettings(detail) }));
}

function toSettings({
  time_zone,
  threshold,
  overdraft,
  auto_top_up,
  ceilings,
}: Detail): AccountSettings {
  const { enabled, amount, limit_per_day, limit_per_month } = auto_top_up;
  return {
    timeZone: time_zone,
    threshold: BigInt(threshold),
    overdraft: toAmount(overdraft ?? null),
    autoTopUp: {
      enabled,
      amount: toAmount(amount),
      limitPerDay: toAmount(limit_per_day),
      limitPerMonth: toAmount(limit_per_month),
      keepAfterSubscription: auto_top_up.keep_after_subscription === true,
      ceilings: {
        amount: toAmount(ceilings?.amount ?? null),
        perDay: toAmount(ceilings?.per_day ?? null),
        perMonth: toAmount(ceilings?.per_month ?? null),
      },
    },
  };
}

function toAmount(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}
