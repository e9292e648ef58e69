import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { guardProcess, releaseProcess } from "../../../../infra/local/process-guard.ts";
import { stopProcess } from "../../../../infra/local/process-table.ts";
import { eventually } from "../../../support/eventually.ts";

/**
 * Stripe's own mock server: it checks every request against Stripe's description of its API and answers
 * with examples. It is built once, from source, into `.local/parts`.
 */
const VERSION = "v0.203.0";
const FOLDER = join(import.meta.dirname, "..", "..", ".local", "parts", `stripe-mock-${VERSION}`);
const LISTENING = /Listening for HTTP at address: (\S+)/;

const run = promisify(execFile);

export interface StripeMock {
  readonly url: string;
  stop(): Promise<void>;
}

/** Whether Go is installed to build the mock with. */
export async function isGoThere(): Promise<boolean> {
  return await run("go", ["version"]).then(
    () => true,
    () => false,
  );
}

export async function startStripeMock(): Promise<StripeMock> {
  // Both addresses are set: otherwise HTTPS would use a fixed port on every interface.
  const child = spawn(
    await builtMock(),
    ["-http-addr", "127.0.0.1:", "-https-addr", "127.0.0.1:"],
    { detached: true, stdio: ["ignore", "pipe", "pipe"] },
  );
  const { pid } = child;
  if (pid === undefined) throw new Error("stripe-mock could not be started");
  guardProcess(pid, "TERM");
  const ended = once(child, "exit").then(() => releaseProcess(pid));
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => said.push(line));
  }
  const address = () => LISTENING.exec(said.join("\n"))?.[1];
  await eventually("stripe-mock listens", () => address() !== undefined);
  return { url: `http://${address()}`, stop: () => stopProcess(pid, "SIGTERM", ended) };
}

async function builtMock(): Promise<string> {
  const program = join(FOLDER, "stripe-mock");
  const isBuilt = await access(program).then(
    () => true,
    () => false,
  );
  if (!isBuilt) {
    const env = { ...process.env, GOBIN: FOLDER };
    await run("go", ["install", `github.com/stripe/stripe-mock@${VERSION}`], { env });
  }
  return program;
}
