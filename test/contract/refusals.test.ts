/**
 * Every refusal, as it is shown:
 * - what a customer reads names no command and no option
 * - what the command line adds is an existing command or option
 */
import { describe, expect, test } from "vitest";
import { explainRefusal } from "../../shared/contract/refusals.ts";
import type { Refusal, RefusalKind } from "../../shared/core/line/refusal.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { commandNames } from "../support/cli/commands.ts";

const COMMANDS = commandNames();
const NAMES_A_COMMAND = /drawdown|--|\b(set|shown?|listed?) (it )?(with|by)\b/i;

describe.each(everyRefusal())("$kind", (refusal) => {
  const { sentence, status, field, hint } = explainRefusal(refusal);

  test("is one plain sentence without a command", () => {
    expect(sentence).toMatch(/^[a-z].*[^.\s]$/);
    expect(sentence).not.toMatch(/undefined|null|NaN|\[object/);
    expect(sentence).not.toMatch(NAMES_A_COMMAND);
    const named = COMMANDS.filter((name) => name.includes(" ") && sentence.includes(name));
    expect(named).toEqual([]);
  });

  test("has a code and an HTTP status", () => {
    expect(refusal.kind).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect([402, 404, 409, 422, 429]).toContain(status);
    expect(field ?? "a_field").toMatch(/^([a-z]+(_[a-z]+)*|Idempotency-Key)$/);
  });

  test("and the command line adds what helps", () => {
    if (hint === undefined || hint.startsWith("--")) return;
    expect(COMMANDS.map((name) => `drawdown ${name}`)).toContain(hint);
  });
});

test("a missing payment method has the same sentence everywhere", () => {
  expect(explainRefusal({ kind: "no_payment_method" }).sentence).toBe(
    "there is no payment method; add one to pay",
  );
});

/** Each kind with example figures, and several where its sentence depends on them. */
function everyRefusal(): Refusal[] {
  const accountId = toAccountId("acme");
  const [lotId, paymentId, planId, addOnId] = ["gift", "manual:1", "growth", "voice"] as const;
  const [currency, at, timeZone] = ["USD", Date.UTC(2026, 8), "Europe/Berlin"] as const;
  const place = "usage.events/2/1041";
  const lot = { lotId, credits: 5n, source: "promotion", expiresAt: null };
  const every: { readonly [K in RefusalKind]: readonly Refusal<K>[] } = {
    unknown_account: [{ kind: "unknown_account", accountId }],
    unknown_lot: [{ kind: "unknown_lot", lotId }],
    unknown_payment: [{ kind: "unknown_payment", paymentId }],
    unknown_hold: [{ kind: "unknown_hold", holdId: "run-1" }],
    unknown_budget: [
      { kind: "unknown_budget", dimension: "team", window: "day", value: "a" },
      { kind: "unknown_budget", dimension: "team", window: "all", value: "" },
    ],
    budget_used_up: [
      {
        ...{ kind: "budget_used_up", dimension: "team", window: "day", value: "a" },
        ...{ asked: 5n, left: -1n, turnsAt: at },
      },
      {
        ...{ kind: "budget_used_up", dimension: "team", window: "all", value: "a" },
        ...{ asked: 5n, left: 1n, turnsAt: null },
      },
    ],
    too_many_budget_dimensions: [{ kind: "too_many_budget_dimensions", most: 16 }],
    unknown_event: [
      { kind: "unknown_event", eventId: "e-1", pastUntil: null },
      { kind: "unknown_event", eventId: "e-1", pastUntil: at },
    ],
    several_sources: [{ kind: "several_sources", eventId: "e-1", sources: ["", "app"] }],
    unknown_key: [{ kind: "unknown_key", keyId: "0123456789abcdef" }],
    unknown_token: [{ kind: "unknown_token", tokenId: "0123456789abcdef" }],
    unknown_dead_letter: [{ kind: "unknown_dead_letter", place }],
    unknown_webhook: [{ kind: "unknown_webhook", endpointId: "0123456789abcdef" }],
    unknown_delivery: [{ kind: "unknown_delivery", webhookId: "msg_0123" }],
    webhook_url: [{ kind: "webhook_url", problem: "is not a URL" }],
    too_many_webhooks: [{ kind: "too_many_webhooks", most: 100 }],
    unknown_meter: [{ kind: "unknown_meter", meter: "calls" }],
    unknown_plan: [{ kind: "unknown_plan", planId }],
    unknown_add_on: [{ kind: "unknown_add_on", addOnId }],
    unknown_time_zone: [{ kind: "unknown_time_zone", timeZone }],
    account_exists: [{ kind: "account_exists", accountId, timeZone, currency, threshold: 0n }],
    lot_exists: [
      { kind: "lot_exists", ...lot, reference: "" },
      { kind: "lot_exists", ...lot, reference: "ticket 7" },
    ],
    adjustment_exists: [{ kind: "adjustment_exists", reference: "ticket 7", credits: -5n }],
    top_up_exists: [{ kind: "top_up_exists", amount: 100n, currency }],
    refund_exists: [{ kind: "refund_exists", amount: 100n, currency }],
    hold_exists: [{ kind: "hold_exists", holdId: "run-1", credits: 5n, at }],
    insufficient_credits: [
      { kind: "insufficient_credits", asked: 5n, available: -1n, most: -1n },
      { kind: "insufficient_credits", asked: 5n, available: -1n, most: 4n },
    ],
    hold_captured: [{ kind: "hold_captured", holdId: "run-1", credits: 5n }],
    hold_ended: [
      { kind: "hold_ended", holdId: "run-1", how: "released", at },
      { kind: "hold_ended", holdId: "run-1", how: "expired", at },
    ],
    exceeds_hold: [{ kind: "exceeds_hold", holdId: "run-1", credits: 5n }],
    no_subscription: [{ kind: "no_subscription" }],
    already_subscribed: [
      { kind: "already_subscribed", planId, cancelled: false },
      { kind: "already_subscribed", planId, cancelled: true },
    ],
    already_cancelled: [{ kind: "already_cancelled" }],
    not_cancelled: [{ kind: "not_cancelled" }],
    subscription_suspended: [
      { kind: "subscription_suspended", price: 2_900n, currency, interval: "month" },
    ],
    fee_unpaid: [{ kind: "fee_unpaid", paymentId, planId, amount: 49_900n, currency }],
    no_change: [
      { kind: "no_change", setting: "time_zone", timeZone },
      { kind: "no_change", setting: "threshold", threshold: 5n },
      { kind: "no_change", setting: "plan", planId, from: null },
      { kind: "no_change", setting: "plan", planId, from: at },
      { kind: "no_change", setting: "interval", interval: "year", planned: false },
      { kind: "no_change", setting: "interval", interval: "year", planned: true },
      { kind: "no_change", setting: "add_on", addOnId, units: 0, from: null },
      { kind: "no_change", setting: "add_on", addOnId, units: 1, from: null },
      { kind: "no_change", setting: "add_on", addOnId, units: 2, from: at },
    ],
    no_plan_price: [{ kind: "no_plan_price", planId, currency }],
    no_price: [{ kind: "no_price", meter: "calls" }],
    no_credit_price: [{ kind: "no_credit_price", currency }],
    no_payment_method: [{ kind: "no_payment_method" }],
    no_way_to_pay: [{ kind: "no_way_to_pay", planId, price: 49_900n, currency, interval: "month" }],
    top_up_pending: [{ kind: "top_up_pending" }],
    too_many_attempts: [{ kind: "too_many_attempts", most: 10, until: at, waitMs: 1 }],
    below_minimum: [{ kind: "below_minimum", least: 50n, currency }],
    above_maximum: [{ kind: "above_maximum", most: 99_999_999n, currency }],
    above_limit: [
      { kind: "above_limit", per: "day", left: 0n, limit: 10_000n, byCeiling: false, currency },
      { kind: "above_limit", per: "month", left: 5n, limit: 10_000n, byCeiling: true, currency },
    ],
    above_ceiling: [
      { kind: "above_ceiling", per: "top_up", asked: 5_000n, ceiling: 1_000n, currency },
      { kind: "above_ceiling", per: "day", asked: 5_000n, ceiling: 1_000n, currency },
    ],
    threshold_too_high: [{ kind: "threshold_too_high", most: 5n, amount: 1_000n, currency }],
    limit_below_amount: [
      { kind: "limit_below_amount", per: "day", amount: 1_000n, limit: 500n, currency },
    ],
    not_paid: [{ kind: "not_paid", paymentId, status: "failed" }],
    exceeds_refundable: [
      { kind: "exceeds_refundable", paymentId, left: 0n, currency },
      { kind: "exceeds_refundable", paymentId, left: 1n, currency },
    ],
    no_credits: [{ kind: "no_credits" }],
    overflow: [{ kind: "overflow", most: 5n }],
    reserved_lot_id: [{ kind: "reserved_lot_id", lotId: "plan:1:0" }],
    already_ended: [{ kind: "already_ended", at }],
    exceeds_remaining: [
      { kind: "exceeds_remaining", lotId, remaining: 0n },
      { kind: "exceeds_remaining", lotId, remaining: 5n },
    ],
    invalid_quantity: [{ kind: "invalid_quantity", most: 1_000_000 }],
    version_exists: [{ kind: "version_exists" }],
    too_early: [{ kind: "too_early", earliest: at }],
    priced_by_dimensions: [{ kind: "priced_by_dimensions", meter: "calls" }],
    version_planned: [{ kind: "version_planned", at }],
    version_overtaken: [{ kind: "version_overtaken", earliest: at }],
    already_dismissed: [{ kind: "already_dismissed", place, at, by: "ann", reason: "a test" }],
    already_retried: [{ kind: "already_retried", place, at }],
    no_payload: [{ kind: "no_payload", place, detail: "no value" }],
    payload_cut: [{ kind: "payload_cut", place, size: 4_194_304 }],
    none_to_retry: [
      { kind: "none_to_retry", withoutBytes: 0, cut: 1 },
      { kind: "none_to_retry", withoutBytes: 2, cut: 0 },
      { kind: "none_to_retry", withoutBytes: 2, cut: 1 },
    ],
    no_dead_letters: [
      { kind: "no_dead_letters", reason: null },
      { kind: "no_dead_letters", reason: "conflict" },
    ],
    range_too_large: [{ kind: "range_too_large" }],
    usage_past_retention: [{ kind: "usage_past_retention", until: at }],
  };
  return Object.values(every).flat();
}
