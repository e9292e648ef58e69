/** Series, in promtool's notation (`0+2x10`: eleven values from 0, each 2 more), by which a rule is tried. */
type Series = Readonly<Record<string, string>>;

export interface RuleCase {
  readonly raised: Series;
  /** Also of what nearly raises it. */
  readonly well: Series;
  /** When it has been raised. */
  readonly at: string;
  /** When it has not been yet. */
  readonly not: string;
  /** How far its values are apart; a minute, if it does not say. */
  readonly every?: "30m";
  /** The labels with which it is. */
  readonly by?: Readonly<Record<string, string>>;
}

const of = (service: string) => `{job="drawdown",service="${service}",instance="a"}`;
const UP = Object.fromEntries(
  ["metering", "scheduler", "top-up", "webhooks", "api"].map((name) => [`up${of(name)}`, "1x30"]),
);
const IN_A_PROCESS = { job: "drawdown", service: "metering", instance: "a" };

/** A gauge that goes from a value at which all is well to one that is not, in the third minute. */
function rises(series: string, well: number | string, raised: number | string) {
  return { raised: { [series]: `${well}x2 ${raised}x200` }, well: { [series]: `${well}x200` } };
}

export const RULE_CASES: Readonly<Record<string, RuleCase>> = {
  DrawdownServiceDown: {
    ...rises(`up${of("metering")}`, 1, 0),
    ...{ not: "4m", at: "5m", by: IN_A_PROCESS },
  },
  DrawdownServiceMissing: {
    raised: { ...UP, [`up${of("scheduler")}`]: "1x2 stale" },
    well: UP,
    ...{ not: "4m", at: "5m", by: { job: "drawdown", service: "scheduler" } },
  },
  DrawdownServiceRestarts: {
    raised: { [`process_start_time_seconds${of("metering")}`]: "100x3 200x2 300x2 400x30" },
    well: { [`process_start_time_seconds${of("metering")}`]: "100x3 200x3 300x30" },
    ...{ not: "10m", at: "12m", by: IN_A_PROCESS },
  },
  DrawdownNotReady: {
    ...rises('drawdown_check_up{service="metering",check="lag"}', 1, 0),
    ...{ not: "7m", at: "8m", by: { service: "metering", check: "lag" } },
  },
  DrawdownMetricsUnread: {
    ...rises('drawdown_metrics_source_up{service="api",source="due"}', 1, 0),
    ...{ not: "12m", at: "13m", by: { service: "api", source: "due" } },
  },
  DrawdownMeteringLags: {
    ...rises('drawdown_metering_lag_seconds{partition="3"}', 120, 121),
    ...{ not: "7m", at: "8m", by: { partition: "3" } },
  },
  DrawdownManyDeadLetters: {
    raised: {
      'drawdown_metering_dead_letters_total{reason="no_price"}': "0+2x60",
      drawdown_metering_batch_events_sum: "0+100x60",
    },
    well: {
      'drawdown_metering_dead_letters_total{reason="no_price"}': "0+1x60",
      drawdown_metering_batch_events_sum: "0+100x60",
    },
    ...{ not: "10m", at: "12m" },
  },
  DrawdownDeadLetters: {
    ...rises('drawdown_dead_letters{reason="no_price"}', 0, 1),
    ...{ not: "7m", at: "8m", by: { reason: "no_price" } },
  },
  DrawdownOutboxStands: {
    ...rises("drawdown_outbox_waiting_seconds", 120, 121),
    ...{ not: "3m", at: "4m" },
  },
  DrawdownRecordRefused: {
    ...rises("drawdown_refused_records", 0, 1),
    ...{ not: "7m", at: "8m" },
  },
  DrawdownRecordsSkipped: {
    raised: {
      'drawdown_skipped_records_total{service="top-up",topic="t",reason="no_key"}': "_x2 1x200",
    },
    well: {
      'drawdown_skipped_records_total{service="top-up",topic="t",reason="no_key"}': "_x200",
    },
    ...{ not: "1m", at: "4m", by: { service: "top-up", topic: "t", reason: "no_key" } },
  },
  DrawdownAccountsOverdue: {
    ...rises("drawdown_accounts_due_seconds", 3_600, 3_601),
    ...{ not: "7m", at: "8m" },
  },
  DrawdownSchedulerLate: {
    ...rises("drawdown_scheduler_late_seconds", 120, 121),
    ...{ not: "3m", at: "4m" },
  },
  DrawdownHoldsOverdue: {
    ...rises("drawdown_holds_overdue_seconds", 120, 121),
    ...{ not: "3m", at: "4m" },
  },
  DrawdownBooksDiffer: {
    ...rises("drawdown_reconciliation_differences", 0, 1),
    ...{ not: "2m", at: "3m" },
  },
  // Time begins in 1970: what was proved in its first hour is two days old two days and an hour after.
  DrawdownNotReconciled: {
    raised: { drawdown_reconciliation_timestamp_seconds: "3600x110" },
    well: { drawdown_reconciliation_timestamp_seconds: "10800x110" },
    ...{ every: "30m", not: "3000m", at: "3030m" },
  },
  DrawdownNeverReconciled: {
    raised: { drawdown_reconciliation_timestamp_seconds: "0x110" },
    well: { drawdown_reconciliation_timestamp_seconds: "60x110" },
    ...{ every: "30m", not: "2850m", at: "2880m" },
  },
  DrawdownChargeUnmatched: {
    ...rises("drawdown_unmatched_charges", 0, 1),
    ...{ not: "2m", at: "3m" },
  },
  DrawdownChargesUncompared: {
    ...rises("drawdown_charges_uncompared_seconds", 7_200, 7_201),
    ...{ not: "7m", at: "8m" },
  },
  DrawdownPaymentUnknown: {
    ...rises("drawdown_payments_unknown_seconds", 1_800, 1_801),
    ...{ not: "3m", at: "4m" },
  },
  DrawdownGatewaySilent: {
    raised: {
      'drawdown_gateway_calls_total{result="answered"}': "0+4x30",
      'drawdown_gateway_calls_total{result="unanswered"}': "0+6x30",
    },
    well: {
      'drawdown_gateway_calls_total{result="answered"}': "0+6x30",
      'drawdown_gateway_calls_total{result="unanswered"}': "0+6x30",
    },
    ...{ not: "5m", at: "7m" },
  },
  DrawdownTopUpsFail: {
    raised: {
      'drawdown_top_ups{status="succeeded"}': "11x30",
      'drawdown_top_ups{status="failed"}': "11x2 12x30",
    },
    well: {
      'drawdown_top_ups{status="succeeded"}': "0x30",
      'drawdown_top_ups{status="failed"}': "10x30",
    },
    ...{ not: "17m", at: "18m", by: {} },
  },
  DrawdownWebhookFails: {
    ...rises('drawdown_webhook_failing_seconds{endpoint_id="e"}', 3_600, 3_601),
    ...{ not: "7m", at: "8m", by: { endpoint_id: "e" } },
  },
  DrawdownWebhookPaused: {
    ...rises('drawdown_webhook_paused{endpoint_id="e"}', 0, 1),
    ...{ not: "7m", at: "8m", by: { endpoint_id: "e" } },
  },
  DrawdownKeyExpires: {
    raised: { 'drawdown_api_key_expiry_timestamp_seconds{key_id="k"}': "604860x200" },
    well: { 'drawdown_api_key_expiry_timestamp_seconds{key_id="k"}': "691200x200" },
    ...{ not: "60m", at: "63m", by: { key_id: "k" } },
  },
  DrawdownWrongKeys: {
    raised: { 'drawdown_wrong_keys_total{reason="unknown"}': "0x4 0+20x30" },
    well: { 'drawdown_wrong_keys_total{reason="unknown"}': "0+6x40" },
    ...{ not: "4m", at: "20m", by: { reason: "unknown" } },
  },
  DrawdownPoolTaken: {
    ...rises('drawdown_pool_waiting{service="api",pool="main",instance="a"}', 0, 2),
    ...{ not: "7m", at: "14m", by: { service: "api", pool: "main", instance: "a" } },
  },
  DrawdownEventLoopSlow: {
    ...rises(`nodejs_eventloop_lag_p99_seconds${of("metering")}`, 1, 1.1),
    ...{ not: "7m", at: "8m", by: IN_A_PROCESS },
  },
  DrawdownMemory: {
    ...rises(`process_resident_memory_bytes${of("metering")}`, 1_073_741_824, 1_073_741_825),
    ...{ not: "17m", at: "18m", by: IN_A_PROCESS },
  },
};
