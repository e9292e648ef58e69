import { type Random, randomFrom } from "../model/random.ts";
import type { Kind } from "./nemesis/kind.ts";

export interface FireOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly eventsPerSecond: number;
  /** Only kinds whose name contains this; null: all. */
  readonly only: string | null;
}

/** A fault of a round. */
export interface PlannedFault {
  readonly kind: Kind;
  /** The process that it hits, where it hits one. */
  readonly member: string;
  /** Milliseconds after the round's beginning. */
  readonly after: number;
  /** Milliseconds. */
  readonly lasts: number;
}

/** Faults at the same time; the next round begins when all services are back. */
export type Round = readonly PlannedFault[];

export interface Plan {
  readonly options: FireOptions;
  readonly rounds: readonly Round[];
  /** The number of rounds in which every kind comes once. */
  readonly onceEach: number;
  /** Of the load. */
  readonly loadSeed: number;
}

/** What a round with its recovery takes, in seconds, for the number of rounds of a run. */
const ROUND_TAKES = 22;
const SHORTEST_ROUND = 8;
const MOST_AT_ONCE = 5;
const WITHIN_MS = 3_000;

/**
 * Draws everything from the seed. Every kind comes once before any comes twice; a run that is short
 * for all of them has several at once.
 */
export function planFire(
  options: FireOptions,
  kinds: readonly Kind[],
  members: ReadonlyMap<string, readonly string[]>,
): Plan {
  const random = randomFrom(options.seed);
  const drawn = kinds.filter(({ name }) => name.includes(options.only ?? ""));
  const seconds = options.minutes * 60;
  const atOnce = drawn.length / Math.max(1, Math.floor(seconds / ROUND_TAKES));
  const size = Math.min(MOST_AT_ONCE, Math.max(1, Math.ceil(atOnce)));
  const rounds: Round[] = cycle(drawn, size, random, members);
  const onceEach = rounds.length;
  while (drawn.length > 0 && rounds.length * SHORTEST_ROUND < seconds) {
    rounds.push(...cycle(drawn, size, random, members));
  }
  return { options, rounds, onceEach, loadSeed: random.whole(2 ** 31) };
}

/** Every kind once, in rounds of at most `size`. */
function cycle(
  kinds: readonly Kind[],
  size: number,
  random: Random,
  members: ReadonlyMap<string, readonly string[]>,
): Round[] {
  const rounds: PlannedFault[][] = [];
  for (const kind of shuffled(kinds, random)) {
    const fault = plan(kind, random, members);
    const room = rounds.find(
      (round) => round.length < size && round.every((it) => fits(it, fault)),
    );
    if (room === undefined) rounds.push([fault]);
    else room.push(fault);
  }
  return rounds;
}

function plan(
  kind: Kind,
  random: Random,
  members: ReadonlyMap<string, readonly string[]>,
): PlannedFault {
  const service = kind.services === undefined ? null : random.pick(kind.services);
  const [from, to] = kind.lasts;
  return {
    kind,
    member: service === null ? "" : random.pick(members.get(service) ?? []),
    after: random.between(0, WITHIN_MS),
    lasts: random.between(from * 1_000, to * 1_000),
  };
}

function fits(one: PlannedFault, other: PlannedFault): boolean {
  const about = [one.kind.about, other.kind.about];
  if (about[0] === "member" && about[1] === "member") return one.member !== other.member;
  if (about.includes("all members") && about.includes("member")) return false;
  return about[0] !== about[1];
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  const drawn: T[] = [];
  while (left.length > 0) drawn.push(...left.splice(random.whole(left.length), 1));
  return drawn;
}
