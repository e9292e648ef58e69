import { recordUsageComplete } from "../../shared/ledger/books/usage-complete.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { AccountStep, MonthHistory, MonthStep } from "../model/month-history.ts";
import type { CommandStep } from "./decider-of.ts";
import { playCommand, runScheduler } from "./play-command.ts";
import { openMetering, type UsageCounts, type UseStep } from "./play-usage.ts";

/** The outcomes of the steps of one instant in the real books. */
export interface Played {
  readonly outcomes: ReadonlyMap<CommandStep, string>;
  readonly usage: UsageCounts;
}

export interface HistoryPlayer {
  /** Plays the steps of one instant. */
  play(together: readonly MonthStep[]): Promise<Played>;
}

export interface HowPlayed {
  /** Two schedulers, concurrent with each other and with everything else at their instant. */
  readonly racing?: boolean;
  /** The number of accounts that a scheduler settles in one transaction. */
  readonly limit?: number;
}

/**
 * Plays a history on real books. The steps of one instant mix as they would in production: each
 * account's in order, usage of all of them in common batches, commands of different accounts
 * concurrently.
 */
export function openPlayer(
  database: Database,
  { accounts }: MonthHistory,
  { racing = false, limit = 100 }: HowPlayed = {},
): HistoryPlayer {
  const metering = openMetering(database, accounts);
  let caughtUpAt: number | null = null;

  /** Skipped unless something may read it: most instants of a short history contain nothing else. */
  async function noteCaughtUp(): Promise<void> {
    if (caughtUpAt === null) return;
    await recordUsageComplete(database, caughtUpAt);
    caughtUpAt = null;
  }

  /** An account that begins with a command need not wait for the others' usage. */
  async function playSteps(steps: readonly AccountStep[], told: Telling): Promise<void> {
    await noteCaughtUp();
    let waiting: (readonly AccountStep[])[] = [
      ...Map.groupBy(steps, ({ account }) => account).values(),
    ];
    while (waiting.length > 0) {
      const rounds = waiting.map(nextRound);
      const [using, others] = parted(rounds, ({ uses }) => uses.length > 0);
      await Promise.all([
        ...others.map(({ commands }) => playInTurn(database, commands, told)),
        playUsage(using, told),
      ]);
      waiting = rounds.map(({ rest }) => rest).filter((rest) => rest.length > 0);
    }
  }

  async function playUsage(rounds: readonly Round[], told: Telling): Promise<void> {
    const uses = rounds.flatMap((round) => round.uses);
    const [first] = uses;
    if (first === undefined) return;
    add(told, await metering.meter(uses, first.at));
    await Promise.all(rounds.map(({ commands }) => playInTurn(database, commands, told)));
  }

  async function settle(at: number, schedulers: Promise<unknown>[]): Promise<void> {
    await noteCaughtUp();
    for (const _ of racing ? [1, 2] : [1]) {
      schedulers.push(settled(runScheduler(database, at, limit)));
    }
    if (!racing) await allDone(schedulers);
  }

  async function catchUp(at: number, schedulers: readonly Promise<unknown>[]): Promise<void> {
    await allDone(schedulers);
    caughtUpAt = at;
  }

  return {
    async play(together) {
      const told: Telling = { outcomes: new Map(), usage: { ...NO_USAGE } };
      const schedulers: Promise<unknown>[] = [];
      for (const part of partsOf(together)) {
        if ("steps" in part) await playSteps(part.steps, told);
        else if (part.kind === "settle") await settle(part.at, schedulers);
        else await catchUp(part.at, schedulers);
      }
      await allDone(schedulers);
      return told;
    },
  };
}

/** What failed, to be thrown once everything else is done; null when nothing did. */
function settled(work: Promise<void>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

async function allDone(works: readonly Promise<unknown>[]): Promise<void> {
  for (const error of await Promise.all(works)) if (error !== null) throw error;
}

interface Telling {
  readonly outcomes: Map<CommandStep, string>;
  usage: UsageCounts;
}

const NO_USAGE: UsageCounts = { metered: 0, repeats: 0, deadLetters: 0 };

function add(told: Telling, { metered, repeats, deadLetters }: UsageCounts): void {
  told.usage = {
    metered: told.usage.metered + metered,
    repeats: told.usage.repeats + repeats,
    deadLetters: told.usage.deadLetters + deadLetters,
  };
}

type GlobalStep = Exclude<MonthStep, AccountStep>;

/** Accounts' steps between those that concern all accounts. */
function partsOf(together: readonly MonthStep[]): (GlobalStep | { steps: AccountStep[] })[] {
  const parts: (GlobalStep | { steps: AccountStep[] })[] = [];
  for (const step of together) {
    const last = parts.at(-1);
    if (!("account" in step)) parts.push(step);
    else if (last !== undefined && "steps" in last) last.steps.push(step);
    else parts.push({ steps: [step] });
  }
  return parts;
}

/** An account's next events, and the commands behind them. */
interface Round {
  readonly uses: readonly UseStep[];
  readonly commands: readonly CommandStep[];
  readonly rest: readonly AccountStep[];
}

function nextRound(steps: readonly AccountStep[]): Round {
  const command = steps.findIndex(({ kind }) => kind !== "use");
  const until = command === -1 ? steps.length : command;
  const again = steps.findIndex(({ kind }, index) => index > until && kind === "use");
  const end = again === -1 ? steps.length : again;
  return {
    uses: steps.slice(0, until).filter(isUse),
    commands: steps.slice(until, end).filter(isCommand),
    rest: steps.slice(end),
  };
}

function isUse(step: AccountStep): step is UseStep {
  return step.kind === "use";
}

function isCommand(step: AccountStep): step is CommandStep {
  return step.kind !== "use";
}

function parted<T>(items: readonly T[], is: (item: T) => boolean): [T[], T[]] {
  return [items.filter(is), items.filter((item) => !is(item))];
}

async function playInTurn(
  database: Database,
  commands: readonly CommandStep[],
  { outcomes }: Telling,
): Promise<void> {
  for (const step of commands) outcomes.set(step, await playCommand(database, step));
}
