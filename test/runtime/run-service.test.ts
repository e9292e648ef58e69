import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { untilAborted } from "../../shared/runtime/until-aborted.ts";
import { eventually } from "../support/eventually.ts";

const SETTINGS = {
  DATABASE_URL: "postgresql://127.0.0.1:1/none",
  KAFKA_BROKERS: "127.0.0.1:1",
  SCHEMA_REGISTRY_URL: "http://127.0.0.1:1",
};

/** A service as a process. */
function start(file: URL) {
  const child = spawn(process.execPath, [fileURLToPath(file)], {
    env: { ...process.env, ...SETTINGS },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [log, errors] = ["", ""];
  child.stdout.on("data", (text) => {
    log += text;
  });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  return {
    child,
    ended: once(child, "close", { signal: AbortSignal.timeout(20_000) }),
    isAtWork: () => log.includes("at work"),
    /** Its log, whose last lines may come in another order. */
    lines() {
      expect(errors).toBe("");
      return log
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    },
  };
}

test("a service that fails ends its process, although a timer would keep it alive", async () => {
  const service = start(new URL("fails-beside-a-timer.ts", import.meta.url));
  expect(await service.ended).toEqual([1, null]);
  expect(service.lines()).toContainEqual(
    expect.objectContaining({
      level: "fatal",
      msg: "ended by an error",
      err: expect.objectContaining({ message: "the consumer has crashed" }),
    }),
  );
});

test("a service that fails while it stops ends as asked, and says how", async () => {
  const service = start(new URL("fails-while-stopping.ts", import.meta.url));
  await eventually("it is at work", service.isAtWork);
  service.child.kill("SIGTERM");
  expect(await service.ended).toEqual([0, null]);
  expect(service.lines()).toContainEqual(
    expect.objectContaining({
      level: "warn",
      msg: "stopped before it was done",
      err: expect.objectContaining({ message: "the last offsets are not written" }),
    }),
  );
});

test("a stop is noticed by whoever begins to wait for it later, too", async () => {
  const stop = new AbortController();
  const waiting = untilAborted(stop.signal);
  stop.abort();
  await waiting;
  await untilAborted(stop.signal);
});
