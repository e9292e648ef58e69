import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaLog } from "../kafka/client/kafka-client.ts";
import { growingWait } from "../runtime/waits.ts";
import { checkQuestion, toDefaultOverdraft, toMaxAgeMs } from "./allowance-arguments.ts";
import { type FollowedBalances, followBalances } from "./follow-balances.ts";
import { KnownBalances } from "./known-balances.ts";
import { type BudgetsOfUsage, budgetsOfUsage, type LocalBudget } from "./known-budgets.ts";
import type { UsageClientOptions } from "./usage-client.ts";

export interface LocalAllowanceOptions extends Pick<UsageClientOptions, "kafka" | "registry"> {
  /** The accounts that are asked about. Default: all, at some 200 bytes each. */
  readonly accounts?: Iterable<string>;
  /**
   * How far below zero accounts without an overdraft of their own may go, in micro-credits: what the API's
   * `API_DEFAULT_OVERDRAFT` says. Default: to zero.
   */
  readonly defaultOverdraft?: bigint | "unlimited" | undefined;
  /** For how long to answer from what is known while nothing new arrives, above 0. Default 60,000. */
  readonly maxAgeMs?: number | undefined;
  /** Logs what it waits for. Default: none. */
  readonly logger?: KafkaLog;
}

/** Why an allowance is given or not. */
export type LocalReason =
  /** What is available covers the cost. */
  | "enough"
  /** With the overdraft it does. */
  | "within_overdraft"
  | "not_enough"
  /** The tightest budget of its dimensions does not. */
  | "budget_used_up"
  /** Its dimensions may have budgets that are not published. */
  | "unknown_budget"
  /** Nothing was published of the account, or it is not one of `accounts`. */
  | "unknown_account"
  /** Nothing is known yet, or what is known is older than `maxAgeMs`. */
  | "too_old";

/** An answer from what this process knows. */
export interface LocalAnswer {
  /** False whenever it is in doubt. */
  readonly allowed: boolean;
  readonly reason: LocalReason;
  /** balance - held, in micro-credits, as last known. Null: nothing is known of the account. */
  readonly available: bigint | null;
  /** Of the budgets of its dimensions, the one with least left, as last known. Null: none is known. */
  readonly budget: LocalBudget | null;
  /** Everything committed longer ago than this is known. Infinity: nothing is known yet. */
  readonly ageMs: number;
}

export interface LocalAllowance {
  /**
   * Whether an account can afford what costs `credits` micro-credits, in microseconds and without asking anyone.
   * Nothing is reserved: a hold does that. Budgets of its `dimensions` have to cover it, too. What is no amount, or
   * no text, throws.
   */
  allows(
    accountId: string,
    credits: bigint,
    dimensions?: Readonly<Record<string, string>>,
  ): LocalAnswer;
  /** Resolves once the balances are known; rejects with what it waits for after `withinMs`, by default 30,000. */
  ready(withinMs?: number): Promise<void>;
  /** Stops following. It answers `too_old` in the end. */
  close(): Promise<void>;
}

const SILENT: KafkaLog = { debug() {}, warn() {} };
const MAX_AGE_MS = 60_000;
const READY_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 20;

/**
 * Opens an allowance that is answered in the caller's process, from `billing.balances`. Through an outage it
 * answers from what it knows, for `maxAgeMs`; then it allows nothing. How old its knowledge is, it can tell as long
 * as the clocks of this machine and of Postgres agree.
 *
 * @throws {RangeError} `maxAgeMs` or `defaultOverdraft` is none.
 */
export function openLocalAllowance(options: LocalAllowanceOptions): LocalAllowance {
  const { logger = SILENT } = options;
  const maxAgeMs = toMaxAgeMs(options.maxAgeMs ?? MAX_AGE_MS);
  const defaultOverdraft = toDefaultOverdraft(options.defaultOverdraft ?? 0n);
  const known = new KnownBalances(
    options.accounts === undefined ? null : new Set(options.accounts),
  );
  const closing = new AbortController();
  let problem = "Kafka";
  const following = follow();

  function ageMs(): number {
    const until = known.knownUntil;
    return until === null ? Number.POSITIVE_INFINITY : Math.max(0, Date.now() - until);
  }

  return {
    allows(accountId, credits, dimensions = {}) {
      checkQuestion(credits, dimensions);
      const state = known.of(accountId);
      const age = ageMs();
      if (state === undefined) {
        const reason = age > maxAgeMs ? "too_old" : "unknown_account";
        return { allowed: false, reason, available: null, budget: null, ageMs: age };
      }
      const available = state.balance - state.held;
      const budgets = budgetsOfUsage(state.budgets, dimensions, Date.now());
      const most = available + (state.overdraft ?? defaultOverdraft);
      const reason = age > maxAgeMs ? "too_old" : reasonFor(credits, { available, most, budgets });
      const allowed = reason === "enough" || reason === "within_overdraft";
      return { allowed, reason, available, budget: budgets.tightest, ageMs: age };
    },
    async ready(withinMs = READY_WITHIN_MS) {
      const until = performance.now() + withinMs;
      while (known.knownUntil === null) {
        if (closing.signal.aborted) throw new Error("the local allowance is closed");
        if (performance.now() > until) {
          throw new Error(`no balances are known after ${withinMs} ms: waiting for ${problem}`);
        }
        await sleep(LOOK_EVERY_MS);
      }
    },
    async close() {
      closing.abort();
      await following;
    },
  };

  /** Follows, and begins anew with growing waits, until it is closed. */
  async function follow(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      let followed: FollowedBalances | null = null;
      try {
        followed = await followBalances({ ...options, logger }, known);
        failures = 0;
        problem = "all of billing.balances, and for billing.balances-complete to say that it is";
        await Promise.race([followed.ended, untilClosed()]);
      } catch (error) {
        failures += 1;
        problem = (error as Error).message;
        const waitMs = growingWait(failures);
        logger.warn({ waitMs, error: problem }, "balances are not followed, trying again");
        await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
      } finally {
        await followed?.stop().catch(() => undefined);
      }
    }
  }

  function untilClosed(): Promise<void> {
    const { signal } = closing;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

interface Limits {
  readonly available: bigint;
  /** With the overdraft. */
  readonly most: bigint;
  readonly budgets: BudgetsOfUsage;
}

/** The tightest limit answers, as the API has it; what is not known may be the tightest. */
function reasonFor(credits: bigint, { available, most, budgets }: Limits): LocalReason {
  const { tightest, areKnown } = budgets;
  const isUsedUp = tightest !== null && !covers(tightest.left, credits);
  if (isUsedUp && tightest.left < most) return "budget_used_up";
  if (!covers(most, credits)) return "not_enough";
  if (!areKnown) return "unknown_budget";
  return covers(available, credits) ? "enough" : "within_overdraft";
}

function covers(left: bigint, credits: bigint): boolean {
  return left >= credits && left > 0n;
}
