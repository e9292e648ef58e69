import { setTimeout as wait } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { METERING } from "../../shared/core/text/topics.ts";
import { signalProcess } from "../local/process-table.ts";
import { METERING_SERVICE } from "../local/services.ts";
import type { Supervision } from "../local/supervise-services.ts";

const UP_WITHIN_MS = 60_000;

/** The number of metering processes in the consumer group; null while it rebalances. */
export async function meteringMembers(admin: Admin): Promise<number | null> {
  const { groups } = await admin.describeGroups([METERING]);
  const group = groups[0];
  if (group === undefined || group.state === "Empty" || group.state === "Dead") return 0;
  return group.state === "Stable" ? group.members.length : null;
}

/** Waits until one more process meters than `before`; the first events would wait for it otherwise. */
export async function untilMetering(
  admin: Admin,
  before: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + UP_WITHIN_MS;
  while (((await meteringMembers(admin)) ?? 0) <= before) {
    if (Date.now() > deadline) {
      throw new Error(`metering has not started within ${UP_WITHIN_MS / 1000} s: see its log`);
    }
    await wait(100, undefined, { signal });
  }
}

/** Kills the metering process with kill -9; returns its id. */
export function killMetering(supervision: Supervision | undefined): number {
  const pid = supervision?.pidOf(METERING_SERVICE.name);
  if (pid === undefined) {
    throw new Error("there is no metering process to kill: it has ended, see its log");
  }
  signalProcess(pid, "SIGKILL");
  return pid;
}
