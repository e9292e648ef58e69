import { execFile } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The command line of a running process; undefined if there is none with this id. */
export async function commandLineOf(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run("ps", ["-ww", "-o", "stat=,args=", "-p", String(pid)]);
    const [state, ...words] = stdout.trim().split(/\s+/);
    return state === undefined || state.startsWith("Z") ? undefined : words.join(" ");
  } catch {
    return undefined; // ps exits with 1 if there is none
  }
}

/** A process and its descendants, parents first. */
export async function processTree(root: number): Promise<number[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="]);
  const children = new Map<number, number[]>();
  for (const line of stdout.trim().split("\n")) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    if (pid === undefined || parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Whether none of these processes runs: one `ps` for all, since a server may have many. */
async function areGone(pids: readonly number[]): Promise<boolean> {
  try {
    const { stdout } = await run("ps", ["-o", "stat=", "-p", pids.join(",")]);
    return stdout.split("\n").every((state) => state === "" || state.startsWith("Z"));
  } catch {
    return true; // ps exits with 1 if there is none
  }
}

/** Sends the signal; ignores a process that is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

const STOP_WITHIN_MS = 20_000;

/** Stops a child gracefully, or kills it with its descendants if that takes too long. */
export async function stopProcess(
  pid: number,
  signal: NodeJS.Signals,
  ended: Promise<unknown>,
  withinMs = STOP_WITHIN_MS,
): Promise<void> {
  signalProcess(pid, signal);
  const timer = new AbortController();
  const late = wait(withinMs, "late", { signal: timer.signal }).catch(() => "aborted");
  if ((await Promise.race([ended, late])) === "late") await killTree(pid);
  timer.abort();
  await ended;
}

/** Kills a process and its descendants, and waits at most `withinMs` until all are gone. */
export async function killTree(root: number, withinMs = 5_000): Promise<void> {
  const tree = await processTree(root);
  for (const pid of tree) signalProcess(pid, "SIGKILL");
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (await areGone(tree)) return;
    await wait(50);
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
