import { Counter, Histogram, type Registry } from "prom-client";
import { DEAD_LETTER_REASONS } from "../../shared/core/usage/usage-event.ts";
import { DEBIT_STEPS, type DebitOutcome, type DebitStep } from "../../shared/ledger/usage/batch.ts";

const BATCH_EVENTS = [1, 10, 100, 1_000, 5_000, 10_000, 20_000, 40_000, 80_000];
const TRANSACTION_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const DELAY_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 3_600];
const MICRO_PER_CREDIT = 1_000_000;

/** Counts what metering does: a few additions for each transaction, and none for an event. */
export function meteringMetrics(register: Registry) {
  const registers = [register];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const events = counter("drawdown_metering_events_total", "Events metered.");
  const credits = counter("drawdown_metering_credits_total", "Credits that metered events drew.");
  const repeats = counter("drawdown_metering_repeats_total", "Events dropped as repeats.");
  const lows = counter("drawdown_metering_low_balances_total", "Low balances said by metering.");
  const deadLetters = new Counter({
    ...{ name: "drawdown_metering_dead_letters_total", help: "Messages that became dead letters." },
    ...{ labelNames: ["reason"], registers },
  });
  const batch = new Histogram({
    ...{ name: "drawdown_metering_batch_events", help: "Messages of a transaction." },
    ...{ buckets: BATCH_EVENTS, registers },
  });
  const transaction = new Histogram({
    name: "drawdown_metering_transaction_seconds",
    help: "From having the messages of a transaction to its commit, with tries that were lost.",
    ...{ buckets: TRANSACTION_SECONDS, registers },
  });
  const steps = new Counter({
    ...{
      name: "drawdown_metering_step_seconds_total",
      help: "Time that transactions took, by step.",
    },
    ...{ labelNames: ["step"], registers },
  });
  const delay = new Histogram({
    name: "drawdown_metering_delay_seconds",
    help: "From event to debit: since the oldest message of each partition in a transaction was published.",
    ...{ buckets: DELAY_SECONDS, registers },
  });

  // Of a counter that begins with its first increment, Prometheus never sees that one.
  for (const reason of DEAD_LETTER_REASONS) deadLetters.inc({ reason }, 0);
  for (const step of DEBIT_STEPS) steps.inc({ step }, 0);

  return {
    committed(outcome: DebitOutcome): void {
      events.inc(outcome.metered);
      credits.inc(Number(outcome.credits) / MICRO_PER_CREDIT);
      repeats.inc(outcome.repeats);
      lows.inc(outcome.lowBalances);
      for (const [reason, count] of outcome.rejected) deadLetters.inc({ reason }, count);
    },
    took(messages: number, ms: number): void {
      batch.observe(messages);
      transaction.observe(ms / 1000);
    },
    /** `publishedAt` and `now` in milliseconds since 1970. The producer's clock may be ahead. */
    debited(publishedAt: number, now: number): void {
      delay.observe(Math.max(0, now - publishedAt) / 1000);
    },
    /** Made for each transaction: what it takes from step to step. */
    stepTimer(): (step: DebitStep) => void {
      let since = performance.now();
      return (step) => {
        const now = performance.now();
        steps.inc({ step }, (now - since) / 1000);
        since = now;
      };
    },
  };
}
