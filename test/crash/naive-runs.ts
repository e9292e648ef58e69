/** A run of an agent as its caller saw it: what it asked for, what it was told, and what it used. */
export interface Run {
  readonly holdId: string;
  readonly asked: bigint;
  /** Whom it works for: the value of a dimension with budgets. */
  readonly agent: string;
  /** What it was given; null: it was refused. */
  given: bigint | null;
  /** Quantities of its events, by event id: each counts once, at a micro-credit. */
  readonly used: Map<string, bigint>;
  /** The final amount; null: it has captured nothing. */
  captured: bigint | null;
}

/** A record of billing.holds. */
export interface Told {
  readonly sequence: bigint;
  readonly hold_id: string;
  readonly credits: bigint;
  readonly used: bigint;
  readonly captured: bigint | null;
  readonly held: bigint;
  readonly ended_at: number | null;
}

/** The credits of runs' events. */
export function usedOf(runs: readonly Run[]): bigint {
  return sum(runs.flatMap(({ used }) => [...used.values()]));
}

/** What an account has, and what each agent may spend of it. */
export interface Limits {
  readonly granted: bigint;
  readonly budgetOf: (agent: string) => bigint;
}

/**
 * What cannot be, by what callers and the topic were told about an account whose usage is all of its holds: a
 * ledger of sums that knows nothing of lines, locks or transactions.
 */
export function problemsOf(limits: Limits, runs: readonly Run[], told: readonly Told[]): string[] {
  const problems: string[] = [];
  const last = new Map<string, Told>();
  const agents = new Map(runs.map(({ holdId, agent }) => [holdId, agent]));
  let sequence = 0n;
  for (const record of told) {
    // The topic is told at least once.
    if (record.sequence <= sequence) continue;
    if (record.sequence !== sequence + 1n) problems.push(`${record.sequence} after ${sequence}`);
    sequence = record.sequence;
    if (last.get(record.hold_id)?.ended_at)
      problems.push(`${record.hold_id} changed after its end`);
    last.set(record.hold_id, record);
    const of = agents.get(record.hold_id) ?? "";
    const beyond = promisedBeyond(limits, [...last.values()], (id) => agents.get(id) === of, of);
    problems.push(...beyond.map((what) => `${sequence}: ${what}`));
  }
  for (const run of runs) problems.push(...problemsOfRun(run, last.get(run.holdId)));
  for (const id of last.keys()) if (!agents.has(id)) problems.push(`nobody asked for ${id}`);
  return problems;
}

/** What is promised beyond what the account has, and beyond what an agent may spend of it. */
function promisedBeyond(
  { granted, budgetOf }: Limits,
  all: readonly Told[],
  isOfAgent: (holdId: string) => boolean,
  agent: string,
): string[] {
  const promised = promisedOf(all);
  const ofAgent = promisedOf(all.filter(({ hold_id }) => isOfAgent(hold_id)));
  const problems = promised > granted ? [`${promised} of ${granted} are promised`] : [];
  if (ofAgent > budgetOf(agent)) problems.push(`${agent} is promised ${ofAgent}`);
  return problems;
}

function promisedOf(told: readonly Told[]): bigint {
  return sum(told.map(({ held, used }) => held + used));
}

function problemsOfRun({ holdId, given, used, captured }: Run, told: Told | undefined): string[] {
  if (given === null) return told === undefined ? [] : [`${holdId} was refused, and is told`];
  if (told === undefined) return [`${holdId} was given, and is not told`];
  const wrong = {
    [`was given ${given}, not ${told.credits}`]: told.credits !== given,
    [`used ${sum([...used.values()])}, not ${told.used}`]: told.used !== sum([...used.values()]),
    [`captured ${captured}, not ${told.captured}`]: told.captured !== captured,
    "still holds": told.held !== 0n || told.ended_at === null,
  };
  return Object.entries(wrong).flatMap(([what, is]) => (is ? [`${holdId} ${what}`] : []));
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, each) => total + each, 0n);
}
