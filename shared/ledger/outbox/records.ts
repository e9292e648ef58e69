import type { Alert } from "../../core/alerts/alert.ts";
import { type Hold, heldBy } from "../../core/holds/hold.ts";
import type { Account, AccountId, Entry, Instant } from "../../core/line/account.ts";
import { balanceOf, type MicroCredits } from "../../core/line/credit-line.ts";
import type { LowBalance } from "../../core/line/low-balance.ts";
import type { TopUpNotice } from "../../core/payments/auto-top-up.ts";
import type { PaymentChange } from "../../core/payments/payment-change.ts";
import { TOPICS } from "../../core/text/topics.ts";
import type { BalanceState } from "./balance-changes.ts";
import type { OutboxRecord } from "./outbox.ts";
import type { PublishedBudgets } from "./published-budgets.ts";

/** LowBalance for `billing.low-balance`. */
export function lowBalanceRecord(low: LowBalance): OutboxRecord {
  const { accountId, crossing, occurredAt, balance, threshold, cause, needed } = low;
  return {
    accountId,
    topic: TOPICS.lowBalance,
    sequence: crossing,
    record: {
      ...{ account_id: accountId, crossing, balance, threshold, cause },
      ...{ occurred_at: occurredAt, needed },
    },
  };
}

/** CreditsPosted for `billing.credits`. */
export function creditsPostedRecord(entry: Entry, postedAt: Instant): OutboxRecord {
  return {
    accountId: entry.accountId,
    topic: TOPICS.credits,
    sequence: entry.sequence,
    record: {
      account_id: entry.accountId,
      sequence: entry.sequence,
      kind: entry.kind,
      credits: entry.credits,
      balance: balanceOf(entry),
      lot_id: entry.lotId,
      reference: entry.reference,
      posted_at: postedAt,
      due_at: entry.dueAt,
    },
  };
}

/** TopUpChanged for `billing.top-ups`. */
export function topUpChangedRecord(
  accountId: AccountId,
  notice: TopUpNotice,
  sequence: bigint,
  changedAt: Instant,
): OutboxRecord {
  const { topUpId, status, amount, currency, credits, reason } = notice;
  return {
    accountId,
    topic: TOPICS.topUps,
    sequence,
    record: {
      account_id: accountId,
      top_up_id: topUpId,
      ...{ status, amount, currency, credits, reason },
      changed_at: changedAt,
    },
  };
}

/** PaymentChanged for `billing.payments`. */
export function paymentChangedRecord(
  change: PaymentChange,
  sequence: bigint,
  changedAt: Instant,
): OutboxRecord {
  const { accountId, paymentId, refundId, kind, status, amount, currency } = change;
  const { attempt, planId, requestedBy, reason } = change;
  return {
    accountId,
    topic: TOPICS.payments,
    sequence,
    record: {
      ...{ account_id: accountId, payment_id: paymentId, refund_id: refundId },
      ...{ kind, status, amount, currency, attempt },
      ...{ plan_id: planId, requested_by: requestedBy, reason, changed_at: changedAt },
    },
  };
}

/** HoldChanged for `billing.holds`. */
export function holdChangedRecord(hold: Hold, sequence: bigint, changedAt: Instant): OutboxRecord {
  const { accountId, holdId, status, asked, credits, used, captured } = hold;
  const { requestedBy, expiresAt, endedAt } = hold;
  return {
    accountId,
    topic: TOPICS.holds,
    sequence,
    record: {
      ...{ account_id: accountId, sequence, hold_id: holdId, status },
      ...{ asked, credits, used, captured, held: heldBy(hold), requested_by: requestedBy },
      ...{ expires_at: expiresAt, ended_at: endedAt, changed_at: changedAt },
    },
  };
}

/** Credits that will expire. */
export interface ExpiringCredits {
  readonly accountId: AccountId;
  readonly lotId: string;
  readonly expiresAt: Instant;
  /** What is left of the lot. */
  readonly credits: MicroCredits;
}

/** CreditsExpiring for `billing.credits-expiring`. */
export function creditsExpiringRecord(
  expiring: ExpiringCredits,
  sequence: bigint,
  noticedAt: Instant,
): OutboxRecord {
  const { accountId, lotId, credits, expiresAt } = expiring;
  return {
    accountId,
    topic: TOPICS.creditsExpiring,
    sequence,
    record: {
      account_id: accountId,
      sequence,
      lot_id: lotId,
      credits,
      expires_at: expiresAt,
      noticed_at: noticedAt,
    },
  };
}

/** AlertRaised for `billing.alerts`. */
export function alertRaisedRecord(
  alert: Alert & { readonly sequence: bigint },
  raisedAt: Instant,
): OutboxRecord {
  const { accountId, sequence, kind, subject, window, level, used, limit, currency } = alert;
  const { cause, reason, occurredAt } = alert;
  return {
    accountId,
    topic: TOPICS.alerts,
    sequence,
    record: {
      ...{ account_id: accountId, sequence, kind, subject, window, level, used, limit, currency },
      ...{ cause, reason, occurred_at: occurredAt, raised_at: raisedAt },
    },
  };
}

/** What BalanceChanged and the event `balance` of a stream have in common. */
export function balanceChanged(
  state: Pick<Account, "accountId" | "version" | "granted" | "position" | "held">,
  changedAt: Instant,
): Record<string, unknown> {
  return {
    account_id: state.accountId,
    version: state.version,
    granted: state.granted,
    position: state.position,
    balance: balanceOf(state),
    changed_at: changedAt,
    held: state.held,
  };
}

/** The fields of BalanceChanged. */
export function balancePublished(state: BalanceState, changedAt: Instant): Record<string, unknown> {
  return {
    ...balanceChanged(state, changedAt),
    ...{ overdraft: state.overdraft, budgets: state.budgets.map(budgetsPublished) },
  };
}

function budgetsPublished({
  dimension,
  window,
  endsAt,
  nextEndsAt,
  credits,
  values,
}: PublishedBudgets) {
  return {
    ...{ dimension, window, ends_at: endsAt, next_ends_at: nextEndsAt, credits },
    values:
      values?.map(({ spentAhead, ...value }) => ({ ...value, spent_ahead: spentAhead })) ?? null,
  };
}
