import { cp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { randomFrom } from "../model/random.ts";
import { check } from "./check/check.ts";
import type { Checked } from "./check/findings.ts";
import { type History, openHistory } from "./history.ts";
import { type Recovery, untilProgress } from "./liveness/liveness.ts";
import { askForProgress, usage } from "./liveness/progress.ts";
import { canariesOf, fireAccounts } from "./load/accounts.ts";
import { drain } from "./load/drain.ts";
import { startHolds } from "./load/holds.ts";
import { type Months, monthsOf } from "./load/months.ts";
import type { Kind } from "./nemesis/kind.ts";
import { KINDS } from "./nemesis/kinds.ts";
import { openScene, type Scene } from "./open-scene.ts";
import { type FireOptions, type Plan, type PlannedFault, planFire, type Round } from "./plan.ts";
import { type Stage, TROUPE_NAMES } from "./stage/stage.ts";

export interface FireResult {
  readonly plan: Plan;
  readonly history: readonly string[];
  readonly published: ReadonlyMap<string, number>;
  readonly rounds: readonly RoundResult[];
  /** What the kinds that came have counted. */
  readonly counted: ReadonlyMap<Kind, number>;
  readonly checked: readonly Checked[];
  /** Empty: the run passed. */
  readonly failures: readonly string[];
}

export interface RoundResult {
  readonly round: Round;
  readonly recovery: Recovery;
}

const LOGS = resolve(import.meta.dirname, "../../.local/fire-logs");
/** After a bound has passed, how much longer is waited to see how long it does take. */
const LONGER_MS = 120_000;
const CALM_MS = 1_000;
const DRAIN_WITHIN_MS = 180_000;

/** Runs load and faults as planned, then compares everything. `tell` hears the history as it is made. */
export async function runFire(
  options: FireOptions,
  tell: (line: string) => void,
): Promise<FireResult> {
  const plan = planFire(options, KINDS, TROUPE_NAMES);
  const accounts = fireAccounts(plan.rounds.length + 1);
  const history = openHistory(tell);
  const { loadSeed } = plan;
  const { eventsPerSecond } = options;
  const months = monthsOf(Date.now(), options.minutes * 60_000);
  const scene = await openScene({ accounts, loadSeed, eventsPerSecond, months }, history);
  try {
    const result = await burn({ ...scene, plan, history, months });
    if (result.failures.length > 0) await keepLogs(scene.stage, options.seed, history);
    return result;
  } finally {
    await scene.close();
  }
}

/** What services and servers said, which else goes with their folder. */
async function keepLogs({ folder }: Stage, seed: number, history: History): Promise<void> {
  const kept = join(LOGS, `seed-${seed}`);
  await cp(join(folder, "services"), join(kept, "services"), { recursive: true });
  await cp(join(folder, "servers", "logs"), join(kept, "servers"), { recursive: true });
  history.note(`the logs of services and servers are in ${kept}`);
}

interface Fire extends Scene {
  readonly plan: Plan;
  readonly history: History;
  readonly months: Months;
}

async function burn(fire: Fire): Promise<FireResult> {
  const { plan, stage, history, generator, journal } = fire;
  const until = performance.now() + plan.options.minutes * 60_000;
  const failures: string[] = [];
  const rounds: RoundResult[] = [];
  const counted = new Map<Kind, number>();
  const random = randomFrom(plan.loadSeed + 1);
  const holds = startHolds({ ...fire, random, now: stage.now });
  const turning = tellOfTurn(fire);
  await recover(fire, 0, 60);
  for (const [place, planned] of plan.rounds.entries()) {
    const isOver = place >= plan.onceEach && performance.now() > until;
    const round = isOver ? planned.filter(({ kind }) => foundNothing(kind, counted)) : planned;
    if (round.length === 0) continue;
    const bound = Math.max(...round.map(({ kind }) => kind.backWithin));
    await Promise.all(round.map((fault) => inflict(stage, fault, history, counted)));
    const recovery = await recover(fire, rounds.length + 1, bound);
    rounds.push({ round, recovery });
    failures.push(...tooLate(round, recovery, bound));
    await wait(CALM_MS);
  }
  if (plan.rounds.length === 0) await wait(until - performance.now());
  failures.push(...untried(counted));
  history.note("the load stops");
  await Promise.all([generator.stop(), holds.stop()]);
  await turning;
  await useWhatIsPlanned(fire);
  const calendar = { opened: fire.opened, endedAt: stage.now() };
  const refused = [...generator.refused, ...holds.refused];
  if (holds.holds.length === 0) failures.push("no hold was given");
  failures.push(...refused.map((why) => `the load was refused: ${why}`));
  const left = await drain(fire.admin, fire.database, DRAIN_WITHIN_MS);
  failures.push(...left.map((what) => `at the end: ${what}`));
  history.note("everything is drained; comparing");
  const checked = await check({
    ...{ env: stage.env, superuserUrl: stage.superuserUrl, gatewayUrl: stage.gatewayUrl },
    ...{ accounts: fire.accounts, journal: journal.sent, schemaId: generator.schemaId },
    ...{ calendar, holds: holds.holds },
  });
  for (const { what, findings } of checked) {
    failures.push(...findings.map((finding) => `${what}: ${finding}`));
  }
  const published = journal.counts;
  return { plan, history: history.lines, published, rounds, counted, checked, failures };
}

async function tellOfTurn({ stage, months, history }: Fire): Promise<void> {
  await wait(Math.max(0, months.turnsAt - stage.now()));
  history.note("the month turns");
}

/** Usage after the turn, of which what ends with the month is posted; the clock alone would wait a grace. */
async function useWhatIsPlanned({ stage, accounts, generator }: Fire): Promise<void> {
  const planned = accounts.filter(({ plan }) => plan !== null);
  const now = stage.now();
  await generator.publish(planned.map(({ id }) => ({ usage: usage(now, `last-${id}`, id, 1n) })));
}

/** Begins a fault at its time, and ends it. */
async function inflict(
  stage: Stage,
  { kind, member, after, lasts }: PlannedFault,
  history: History,
  counted: Map<Kind, number>,
): Promise<void> {
  await wait(after);
  const target = stage.members.find(({ name }) => name === member) ?? stage.members[0];
  if (target === undefined) throw new Error("there is no process to hit");
  const name = member === "" ? kind.name : `${kind.name}: ${member}`;
  const why = kind.impossible?.(stage) ?? null;
  if (why !== null) return history.note(`${name} is left out: ${why}`);
  history.note(`${name} begins`);
  let count = 0;
  const end = await kind.begin(stage, target, (times) => {
    count += times;
  });
  await wait(lasts);
  await end();
  counted.set(kind, (counted.get(kind) ?? 0) + count);
  history.note(`${name} is over${kind.counts === undefined ? "" : `; ${kind.counts}: ${count}`}`);
}

/** A kind that came and found nothing to do has shown nothing: it comes again until it has. */
function foundNothing(kind: Kind, counted: ReadonlyMap<Kind, number>): boolean {
  return kind.counts !== undefined && counted.get(kind) === 0;
}

function untried(counted: ReadonlyMap<Kind, number>): string[] {
  return [...counted.keys()]
    .filter((kind) => foundNothing(kind, counted))
    .map(({ name, counts }) => `${name}: ${counts}: 0 in the whole run`);
}

async function recover(fire: Fire, probe: number, boundSeconds: number): Promise<Recovery> {
  const since = performance.now();
  const canaries = canariesOf(fire.accounts, probe);
  const questions = await askForProgress({ ...fire, canaries, probe });
  const recovery = await untilProgress(questions, since, boundSeconds * 1_000 + LONGER_MS);
  const times = [...recovery.byService].map(([service, ms]) => `${service} ${seconds(ms)}`);
  fire.history.note(`back: ${times.join(", ")}`);
  return recovery;
}

function tooLate(round: Round, { byService, missing }: Recovery, bound: number): string[] {
  const names = round.map(({ kind, member }) => `${kind.name} ${member}`.trim()).join(" + ");
  const late = [...byService].filter(([, ms]) => ms > bound * 1_000);
  const how = missing.length === 0 ? "" : ` (${missing.join(", ")})`;
  return late.map(
    ([service, ms]) => `after ${names}: ${service} took ${seconds(ms)}, not ${bound} s${how}`,
  );
}

export function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : "for ever";
}
