/** What an account asks to be told of. */
export interface AlertSettings {
  /** Of the month's credits; ascending. */
  readonly monthPercents: readonly number[];
  /** Of what may be charged for top-ups in a month; ascending. */
  readonly topUpPercents: readonly number[];
  /** Of what a value of a dimension may spend in a window; ascending. */
  readonly budgetPercents: readonly number[];
  /** Told once the credits last for fewer days; null: never. */
  readonly runwayDays: number | null;
  /** Whether to tell of auto top-up that is declined, paused or stopped. */
  readonly topUps: boolean;
}

/** What is not set otherwise. */
export const DEFAULT_ALERTS: AlertSettings = {
  monthPercents: [50, 80, 100],
  topUpPercents: [50, 80, 100],
  budgetPercents: [50, 80, 100],
  runwayDays: 7,
  topUps: true,
};

/** Levels of one kind, at most. */
export const MOST_LEVELS = 10;
export const MOST_RUNWAY_DAYS = 365;

/** Levels in their order, each once. */
export function levelsOf(percents: readonly number[]): readonly number[] {
  return [...new Set(percents)].sort((a, b) => a - b);
}
