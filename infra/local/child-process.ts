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
  /** What it reads from its standard input. */
  readonly input?: string;
  /** The user it runs as, if not ours. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** The folder of `logs/<name>.log` and `pids/<name>.pid`; the command line must contain its path. */
  readonly dataDir: string;
  /** Default: SIGTERM, on which Postgres waits for its clients. On SIGINT it disconnects them. */
  readonly stopSignal?: "SIGTERM" | "SIGINT";
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was stopped or killed by this process. */
  readonly isRequested: boolean;
}

export interface Child {
  readonly pid: number;
  readonly ended: Promise<ChildEnd>;
  /** Stops it gracefully, or kills it if that takes too long. */
  stop(): Promise<void>;
  /** kill -9, with its descendants. */
  kill(): Promise<void>;
}

const CHECK_EVERY_MS = 100;
/** How long a ready child must keep running: one that cannot bind its port exits immediately. */
const STEADY_FOR_MS = 200;

const living = new Set<Child>();
let closed = false;

/**
 * Starts a long-running process and waits until it is ready; after a failure it is killed. `isReady`
 * should check the child's own log (`logSays`) first, since another process may answer on its port.
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
    await Promise.race([child.ended, wait(ready ? STEADY_FOR_MS : CHECK_EVERY_MS)]);
    if (ready && end === undefined) return child;
  }
  const what =
    end === undefined ? `was not ready within ${readyWithinMs / 1000} s` : describeEnd(end);
  await child.kill();
  throw new Error(await explain(command, what));
}

/** True if the log contains the text. Each start has its own log. */
export async function logSays(logFile: string, text: string): Promise<boolean> {
  return (await readFile(logFile, "utf8")).includes(text);
}

/** Runs a process to its end. Throws an error that quotes its log if the exit code is not 0. */
export async function runToEnd(command: ChildCommand): Promise<void> {
  const child = await launch(command);
  const end = await child.ended;
  if (end.code !== 0) throw new Error(await explain(command, describeEnd(end)));
}

/** Stops all remaining children and refuses new ones, at the end of this process. */
export async function stopAllChildren(how: "stop" | "kill"): Promise<void> {
  closed = true;
  await Promise.all([...living].map((child) => child[how]()));
}

export function describeEnd(end: Omit<ChildEnd, "isRequested">): string {
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

  let isRequested = false;
  const ended = child.ended.then(async (end): Promise<ChildEnd> => {
    releaseProcess(child.pid);
    living.delete(running);
    await rm(pidFile, { force: true });
    return { ...end, isRequested };
  });
  const running: Child = {
    pid: child.pid,
    ended,
    async stop() {
      isRequested = true;
      await stopProcess(child.pid, stopSignal, ended);
    },
    async kill() {
      isRequested = true;
      await killTree(child.pid);
      await ended;
    },
  };
  living.add(running);
  return running;
}

/** Starts it in its own process group, so that Ctrl-C reaches only us. */
async function spawnLogged(
  command: ChildCommand,
): Promise<{ pid: number; ended: Promise<Omit<ChildEnd, "isRequested">> }> {
  const logFile = logFileOf(command);
  await mkdir(dirname(logFile), { recursive: true });
  const log = openLog(logFile);
  const child = spawn(command.command, [...command.args], {
    detached: true,
    stdio: [command.input === undefined ? "ignore" : "pipe", log, log],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "UTC", ...command.env },
    ...command.user,
  });
  closeSync(log);
  child.stdin?.on("error", () => undefined); // it has ended, and its log says why
  child.stdin?.end(command.input);
  const ended = new Promise<Omit<ChildEnd, "isRequested">>((resolve) => {
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

/** Each start has its own log; the previous one is kept. */
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
