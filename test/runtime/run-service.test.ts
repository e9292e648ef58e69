import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

test("a service that fails ends its process, although a timer would keep it alive", async () => {
  const file = fileURLToPath(new URL("fails-beside-a-timer.ts", import.meta.url));
  const settings = {
    DATABASE_URL: "postgresql://127.0.0.1:1/none",
    KAFKA_BROKERS: "127.0.0.1:1",
    SCHEMA_REGISTRY_URL: "http://127.0.0.1:1",
  };
  const child = spawn(process.execPath, [file], { env: { ...process.env, ...settings } });
  onTestFinished(() => void child.kill("SIGKILL"));
  let log = "";
  child.stdout.on("data", (text) => {
    log += text;
  });
  expect(await once(child, "close", { signal: AbortSignal.timeout(20_000) })).toEqual([1, null]);
  expect(JSON.parse(log.trim().split("\n").at(-1) ?? "")).toMatchObject({
    level: "fatal",
    msg: "ended by an error",
    err: { message: "the consumer has crashed" },
  });
});
