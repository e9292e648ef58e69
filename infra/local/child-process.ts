import { spawn } from "node:child_process";
import { closeSync, openSync, renameSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { writePidFile } from "./pid-file.ts";
import { guardProcess, releaseProcess } from "./process-guard.ts";
import { killTree, stopProcess } from "./process-table.ts";

export interface ChildCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whose rights it runs with, where they are not ours. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** `logs/<name>.log` and `pids/<name>.pid` go in here; its path must be in the command line. */
  readonly dataDir: string;
  /** Default SIGTERM. Postgres waits for its clients on SIGTERM and sends them away on SIGINT. */
  readonly stopSignal?: "SIGTERM" | "SIGINT";
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was stopped or killed from here. */
  readonly asked: boolean;
}

export interface Child {
  readonly pid: number;
  readonly ended: Promise<ChildEnd>;
  /** Asks it to stop, waits, and kills it when it takes too long. */
  stop(): Promise<void>;
  /** kill -9, with all that it started. */
  kill(): Promise<void>;
}

const LOOK_EVERY_MS = 100;
/** A child that is ready must live on for so long: one that cannot bind its port ends at once. */
const STEADY_FOR_MS = 200;

const living = new Set<Child>();
let closed = false;

/**
 * Starts a process that stays, and waits until it is ready; whatever goes wrong, it is not left.
 * `isReady` should ask the child's own log (`logSays`) first: another process may answer on its port.
 */
export async function startChild(
  command: ChildCommand,
  isReady: (logFile: string) => Promise<boolean>,
  readyWithinMs: number,
): Promise<Child> {
  const child = await launch(command);
  let end: ChildEnd | undefined;
  void child.ended.then((known) => {
    end = known;
  });
  const deadline = Date.now() + readyWithinMs;
  while (end === undefined && Date.now() < deadline) {
    const ready = await isReady(logFileOf(command));
    await Promise.race([child.ended, wait(ready ? STEADY_FOR_MS : LOOK_EVERY_MS)]);
    if (ready && end === undefined) return child;
  }
  const what =
    end === undefined ? `was not ready within ${readyWithinMs / 1000} s` : describeEnd(end);
  await child.kill();
  throw new Error(await explain(command, what));
}

/** The child itself has said so; each start has a log of its own. */
export async function logSays(logFile: string, text: string): Promise<boolean> {
  return (await readFile(logFile, "utf8")).includes(text);
}

/** Runs a process to its end; an exit code other than 0 is an error that quotes its log. */
export async function runToEnd(command: ChildCommand): Promise<void> {
  const child = await launch(command);
  const end = await child.ended;
  if (end.code !== 0) throw new Error(await explain(command, describeEnd(end)));
}

/** Stops every child that is left, and refuses to start another: for the end of this process. */
export async function stopAllChildren(how: "stop" | "kill"): Promise<void> {
  closed = true;
  await Promise.all([...living].map((child) => child[how]()));
}

export function describeEnd(end: Omit<ChildEnd, "asked">): string {
  return end.signal === null ? `ended with code ${end.code}` : `was ended by ${end.signal}`;
}

async function launch(command: ChildCommand): Promise<Child> {
  if (closed) throw new Error(`${command.name} is not started: everything is being stopped`);
  const pidFile = join(command.dataDir, "pids", `${command.name}.pid`);
  const stopSignal = command.stopSignal ?? "SIGTERM";
  await mkdir(dirname(pidFile), { recursive: true });

  const child = await spawnLogged(command);
  guardProcess(child.pid, stopSignal === "SIGINT" ? "INT" : "TERM");
  await writePidFile(pidFile, child.pid);

  let asked = false;
  const ended = child.ended.then(async (end): Promise<ChildEnd> => {
    releaseProcess(child.pid);
    living.delete(running);
    await rm(pidFile, { force: true });
    return { ...end, asked };
  });
  const running: Child = {
    pid: child.pid,
    ended,
    async stop() {
      asked = true;
      await stopProcess(child.pid, stopSignal, ended);
    },
    async kill() {
      asked = true;
      await killTree(child.pid);
      await ended;
    },
  };
  living.add(running);
  return running;
}

/** In a process group of its own, so that a Ctrl-C meant for us does not reach it before us. */
async function spawnLogged(
  command: ChildCommand,
): Promise<{ pid: number; ended: Promise<Omit<ChildEnd, "asked">> }> {
  const logFile = logFileOf(command);
  await mkdir(dirname(logFile), { recursive: true });
  const log = openLog(logFile);
  const child = spawn(command.command, [...command.args], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "UTC", ...command.env },
    ...command.user,
  });
  closeSync(log);
  const ended = new Promise<Omit<ChildEnd, "asked">>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) =>
      reject(new Error(`${command.name} could not be started: ${error.message}`)),
    );
  });
  if (child.pid === undefined) throw new Error(`${command.name} could not be started`);
  return { pid: child.pid, ended };
}

/** One log a start; the one before is kept, for it says why there was another start. */
function openLog(file: string): number {
  try {
    renameSync(file, file.replace(/\.log$/, ".previous.log"));
  } catch {
    // the first start
  }
  return openSync(file, "w");
}

function logFileOf(command: ChildCommand): string {
  return join(command.dataDir, "logs", `${command.name}.log`);
}

async function explain(command: ChildCommand, what: string): Promise<string> {
  const file = logFileOf(command);
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n").slice(-15);
  return [`${command.name} ${what}. The end of its log, ${file}:`, ...lines].join("\n  ");
}
