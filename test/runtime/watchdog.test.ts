/**
 * - a process whose event loop stands still ends, with a log line that shows where it was
 * - one that works, one that was stopped for a time, and one that nothing watches, goes on
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.ts";

const LIMIT_MS = 2_000;
const SHORT_LIMIT_MS = 500;

test("a process that stands still is killed, and shows where it was", async () => {
  const { child, output } = start(0);
  expect(await once(child, "close")).toEqual([null, "SIGKILL"]);
  const line: unknown = JSON.parse(output().at(-1) ?? "");
  expect(line).toMatchObject({
    level: "fatal",
    service: "test",
    msg: "the event loop stood still for 2 s: the process ends, to be restarted",
    stack: expect.arrayContaining([expect.stringMatching(/^computeForEver \(.*stands-still\.ts/)]),
  });
});

test("a working process that is suspended for longer than the limit goes on", async () => {
  const { child, output } = start(60_000);
  await sleep(LIMIT_MS / 2);
  child.kill("SIGSTOP");
  await sleep(LIMIT_MS * 1.5);
  child.kill("SIGCONT");
  await sleep(LIMIT_MS * 1.5);
  expect(child.exitCode ?? child.signalCode).toBeNull();
  expect(output()).toEqual([]);
});

test("a process whose watchdog is stopped, or has no limit, may stand still", async () => {
  const processes = [start(0, "stopped", SHORT_LIMIT_MS), start(0, "watched", 0)];
  for (const { output } of processes) {
    await eventually("it stands still", () => output().includes("stands still"));
  }
  await sleep(SHORT_LIMIT_MS * 2);
  for (const { child } of processes) expect(child.exitCode ?? child.signalCode).toBeNull();
});

/** Starts a process that stands still after `workMs`; `output` are its lines so far. */
function start(workMs: number, watchdog: "watched" | "stopped" = "watched", limitMs = LIMIT_MS) {
  const file = fileURLToPath(new URL("stands-still.ts", import.meta.url));
  const child = spawn(process.execPath, [file, String(limitMs), String(workMs), watchdog]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { child, output: () => text.split("\n").filter((line) => line !== "") };
}
