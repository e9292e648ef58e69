import { setTimeout as wait } from "node:timers/promises";
import { cpuSeconds, ownCpuSeconds } from "../bench/cpu.ts";
import { openHistory } from "../fire/history.ts";
import { openStage, type Stage } from "../fire/stage/stage.ts";
import { atMost, type LoadResult, told } from "./figure.ts";

/** Of one core, for all services together. */
const MOST_PERCENT = 5;
const SETTLES_MS = 30_000;
/** As by default; the stage has the scheduler run every other second. */
const SETTINGS = { SCHEDULER_CRON: "* * * * *" };

/** What one process of each service takes of a core while there is nothing to do. */
export async function idle(
  { minutes }: { readonly minutes: number },
  tell: (line: string) => void,
): Promise<LoadResult> {
  const history = openHistory(tell);
  const stage = await openStage({
    ...{ note: history.note, settings: SETTINGS, startsAt: Date.now() },
  });
  try {
    await leaveOneOfEach(stage);
    history.note("one process of each service is left, with nothing to do");
    await wait(SETTLES_MS);
    const before = cpuOf(stage);
    const from = performance.now();
    await wait(minutes * 60_000);
    const seconds = (performance.now() - from) / 1000;
    const percent = new Map(
      [...cpuOf(stage)].map(([what, cpu]) => [
        what,
        ((cpu - (before.get(what) ?? 0)) * 100) / seconds,
      ]),
    );
    const services = running(stage).map(({ service }) => service);
    const all = services.reduce((sum, service) => sum + (percent.get(service) ?? 0), 0);
    const figures = [
      ...[...percent].map(([what, share]) => told(what, `${share.toFixed(2)} %`)),
      atMost("all services", all, MOST_PERCENT, "% of a core", 2),
    ];
    return { options: { load: "idle", minutes }, figures };
  } finally {
    await stage.close();
  }
}

async function leaveOneOfEach(stage: Stage): Promise<void> {
  const first = new Set<string>();
  for (const member of stage.members.filter(({ isIn }) => isIn)) {
    if (first.has(member.service)) await member.leave();
    first.add(member.service);
  }
}

function running({ members }: Stage) {
  return members.filter(({ isIn }) => isIn);
}

/** CPU seconds of each service, and of the servers. */
function cpuOf(stage: Stage): Map<string, number> {
  const { postgres, kafka } = stage.stack.parts;
  const servers = cpuSeconds({ node: 0, postgres: postgres.pid ?? 0, kafka: kafka.pid ?? 0 });
  return new Map([
    ...running(stage).map(({ service, pid }) => [service, ownCpuSeconds(pid ?? 0)] as const),
    ["Postgres", servers.postgres],
    ["Kafka", servers.kafka],
  ]);
}
