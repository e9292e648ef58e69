import { type Alert, type AlertKind, percentsReached } from "../../core/alerts/alert.ts";
import type { AccountId, Instant } from "../../core/line/account.ts";
import type { TopUpNotice } from "../../core/payments/auto-top-up.ts";
import { moneyText } from "../../core/text/money.ts";
import { textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { raiseAlerts } from "./raise-alerts.ts";

/** A notice about a top-up of an account that the caller has locked. */
interface NoticeOfAccount {
  readonly accountId: AccountId;
  readonly notice: TopUpNotice;
}

const KINDS: Partial<Record<TopUpNotice["status"], AlertKind>> = {
  failed: "top_up_declined",
  paused: "top_up_paused",
  stopped: "top_up_stopped",
};

/** Raises that auto top-up was declined, paused or stopped, where an account asks for it: once for each top-up. */
export async function raiseTopUpAlerts(
  transaction: Transaction,
  notices: readonly NoticeOfAccount[],
  now: Instant,
): Promise<void> {
  const told = notices.filter((one) => isTold(one, notices));
  const settings = await readSettings(transaction, told);
  const alerts = told.flatMap(({ accountId, notice }): Alert[] => {
    const kind = KINDS[notice.status];
    if (kind === undefined || settings.get(accountId)?.topUps !== true) return [];
    const { topUpId, reason } = notice;
    return [
      {
        ...{ accountId, kind, subject: "", window: topUpId, level: 0, used: null, limit: null },
        ...{ currency: null, cause: `top-up:${topUpId}`, reason, occurredAt: now },
      },
    ];
  });
  await raiseAlerts(transaction, alerts, now);
}

/** After a decline it always waits, which is not said as well. */
function isTold({ accountId, notice }: NoticeOfAccount, all: readonly NoticeOfAccount[]): boolean {
  const { status, topUpId } = notice;
  if (status !== "paused") return KINDS[status] !== undefined;
  return !all.some(
    (other) =>
      other.accountId === accountId &&
      other.notice.topUpId === topUpId &&
      other.notice.status === "failed",
  );
}

/** What an account's top-ups come to in a month. Money is in minor units of `currency`. */
export interface MonthOfTopUps {
  readonly accountId: AccountId;
  readonly topUpId: string;
  readonly used: bigint;
  readonly limit: bigint;
  readonly currency: string;
  /** Such as 2026-09, in the account's time zone. */
  readonly month: string;
}

/** Raises how much of the month's limit of top-ups is charged or pending, where an account asks for it. */
export async function raiseTopUpMonths(
  transaction: Transaction,
  months: readonly MonthOfTopUps[],
  now: Instant,
): Promise<void> {
  const settings = await readSettings(transaction, months);
  const alerts = months.flatMap(({ accountId, topUpId, month, ...money }) => {
    const percents = settings.get(accountId)?.topUpPercents ?? [];
    const { used, limit, currency } = money;
    return percentsReached(percents, used, limit).map((level): Alert => {
      const of = `${moneyText(used, currency)} of ${moneyText(limit, currency)}`;
      return {
        ...{ accountId, kind: "top_up_month", subject: "", window: month, level, ...money },
        ...{ cause: `top-up:${topUpId}`, occurredAt: now },
        reason: `Top-ups of this month come to ${of}: ${level} % is reached.`,
      };
    });
  });
  await raiseAlerts(transaction, alerts, now);
}

const SETTINGS = `
  SELECT account_id AS "accountId", top_ups AS "topUps", top_up_percents AS "topUpPercents"
  FROM alert_setting
  WHERE account_id = ANY ($1::text[])`;

interface Settings {
  readonly accountId: AccountId;
  readonly topUps: boolean;
  readonly topUpPercents: readonly number[];
}

async function readSettings(
  transaction: Transaction,
  of: readonly { readonly accountId: AccountId }[],
): Promise<Map<AccountId, Settings>> {
  if (of.length === 0) return new Map();
  const ids = [textArray(of.map(({ accountId }) => accountId))];
  const rows = await queryRows<Settings>(transaction, SETTINGS, ids, "read-top-up-alerts");
  return new Map(rows.map((row) => [row.accountId, row]));
}
