import { setTimeout as wait } from "node:timers/promises";
import type { Member } from "../stage/member.ts";
import { type Kind, nothingToEnd } from "./kind.ts";

const ALL = ["metering", "top-up", "scheduler", "api"];
const BETWEEN_RESTARTS_MS = 1_500;

/** What happens to processes of the services. A group of Kafka misses a dead member for ten seconds. */
export const PROCESS_FAULTS: readonly Kind[] = [
  {
    name: "kill -9",
    about: "member",
    services: ALL,
    lasts: [0, 0],
    backWithin: 30,
    async begin(_, member) {
      member.signal("SIGKILL");
      return nothingToEnd;
    },
  },
  {
    name: "stalled past the session time-out",
    about: "member",
    services: ALL,
    lasts: [12, 18],
    backWithin: 30,
    async begin(_, member) {
      member.signal("SIGSTOP");
      return async () => member.signal("SIGCONT");
    },
  },
  {
    name: "rolling restart",
    about: "all members",
    lasts: [0, 0],
    backWithin: 30,
    async begin({ members }) {
      for (const member of members) {
        if (member.isIn) member.signal("SIGTERM");
        await wait(BETWEEN_RESTARTS_MS);
      }
      return nothingToEnd;
    },
  },
  {
    name: "a member joins and leaves",
    about: "all members",
    lasts: [8, 12],
    backWithin: 30,
    async begin(stage) {
      const spare = stage.members.filter(({ isIn }) => !isIn);
      for (const member of spare) member.join();
      return async () => {
        for (const member of spare) await member.leave();
      };
    },
  },
  {
    name: "clock 90 s ahead",
    about: "member",
    services: ALL,
    lasts: [8, 15],
    backWithin: 30,
    begin: (_, member) => stepClock(member, 90_000),
  },
  {
    name: "clock 90 s behind",
    about: "member",
    services: ALL,
    lasts: [8, 15],
    backWithin: 30,
    begin: (_, member) => stepClock(member, -90_000),
  },
];

/** The process starts with the right clock, which steps soon after, and back at its end. */
async function stepClock(member: Member, byMs: number): Promise<() => Promise<void>> {
  await member.leave();
  member.join({ FIRE_CLOCK_STEP_MS: String(byMs) });
  return async () => {
    await member.leave();
    member.join();
  };
}
