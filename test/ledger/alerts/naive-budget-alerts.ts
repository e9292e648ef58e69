/** What happens to an account, in the order in which the books learn of it. */
export type Step = SpentEvent | SetBudget;

interface SpentEvent {
  readonly kind: "event";
  readonly id: string;
  readonly at: number;
  readonly credits: bigint;
  readonly dimensions: Readonly<Record<string, string>>;
}

interface SetBudget {
  readonly kind: "budget";
  readonly dimension: string;
  /** Empty: that of every value. */
  readonly value: string;
  /** Null: it is deleted. */
  readonly credits: bigint | null;
}

/** What a value has spent in a window. */
interface Spent {
  readonly dimension: string;
  readonly value: string;
  readonly window: string;
  sum: bigint;
}

/**
 * What an account in UTC is told, with budgets of teams a day and of users in all: sums of one event after the
 * other, without batches, marks or transactions. Each level is told by the event that brings the sum to it, once for
 * a window and an amount of the budget; a budget that is set tells what is reached and was not told of the window.
 */
export class NaiveBudgetAlerts {
  readonly told: string[] = [];
  readonly #budgets = new Map<string, bigint>();
  readonly #spent: Spent[] = [];
  readonly #levels = new Set<string>();
  readonly #percents: readonly number[];
  readonly #today: string;

  /** `today`: the day on which budgets are set. */
  constructor(percents: readonly number[], today: string) {
    this.#percents = percents;
    this.#today = today;
  }

  take(step: Step): void {
    if (step.kind === "budget") this.#set(step);
    else
      for (const [dimension, value] of Object.entries(step.dimensions)) {
        if (value !== "") this.#spend(step, dimension, value);
      }
  }

  #set({ dimension, value, credits }: SetBudget): void {
    if (credits === null) this.#budgets.delete(`${dimension} ${value}`);
    else this.#budgets.set(`${dimension} ${value}`, credits);
    const asked = this.#spent.filter(
      (one) =>
        one.dimension === dimension &&
        (value === "" || one.value === value) &&
        [this.#today, "all"].includes(one.window),
    );
    for (const spent of asked) {
      const known = this.#percents.filter((percent) => this.#levels.has(placeOf(spent, percent)));
      const fresh = this.#reached(spent).filter((percent) => !known.includes(percent));
      for (const percent of fresh) this.#tell(spent, percent, "settings");
    }
  }

  #spend({ id, at, credits }: SpentEvent, dimension: string, value: string): void {
    const window = dimension === "team" ? new Date(at).toISOString().slice(0, 10) : "all";
    let spent = this.#spent.find(
      (one) => one.dimension === dimension && one.value === value && one.window === window,
    );
    if (spent === undefined) {
      spent = { dimension, value, window, sum: 0n };
      this.#spent.push(spent);
    }
    const before = this.#reached(spent);
    spent.sum += credits;
    const now = this.#reached(spent).filter((percent) => !before.includes(percent));
    for (const percent of now) {
      if (!this.#levels.has(`${placeOf(spent, percent)} of ${this.#limitOf(spent)}`)) {
        this.#tell(spent, percent, id);
      }
    }
  }

  #limitOf({ dimension, value }: Spent): bigint | undefined {
    return this.#budgets.get(`${dimension} ${value}`) ?? this.#budgets.get(`${dimension} `);
  }

  #reached(spent: Spent): number[] {
    const limit = this.#limitOf(spent);
    if (limit === undefined || spent.sum === 0n) return [];
    return this.#percents.filter((percent) => spent.sum * 100n >= limit * BigInt(percent));
  }

  #tell(spent: Spent, percent: number, by: string): void {
    const what = `${placeOf(spent, percent)} of ${this.#limitOf(spent)}`;
    this.#levels.add(placeOf(spent, percent)).add(what);
    this.told.push(`${what}, ${spent.sum} by ${by}`);
  }
}

function placeOf({ dimension, value, window }: Spent, percent: number): string {
  return `${dimension} ${value} ${window} ${percent} %`;
}
