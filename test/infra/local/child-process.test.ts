import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runToEnd, startChild } from "../../../infra/local/child-process.ts";
import { stopLeftover } from "../../../infra/local/pid-file.ts";
import { commandLineOf, processTree } from "../../../infra/local/process-table.ts";
import { eventually } from "../../support/eventually.ts";
import { living } from "../../support/living.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const STAYS = `console.log("up"); setInterval(() => {}, 1000);`;

test("a child that ends before it is ready is an error that quotes its log and names the file", async () => {
  const dataDir = await tempFolder();
  const command = await node(dataDir, `console.log("cannot bind"); process.exit(7);`);
  await expect(startChild(command, async () => false, 10_000)).rejects.toThrow(
    `subject ended with code 7. The end of its log, ${dataDir}/logs/subject.log:\n  cannot bind`,
  );
});

test("a ready answer counts only while the child runs: another server may have given it", async () => {
  const dataDir = await tempFolder();
  const program = `
    process.on("SIGTERM", () => process.exit(1));
    setInterval(() => {}, 1000);
    console.log("port taken");`;
  const answersAsItEnds = async (log: string) => {
    if (!(await readFile(log, "utf8")).includes("port taken")) return false;
    process.kill(await pidOfChild(dataDir), "SIGTERM");
    return true;
  };
  await expect(startChild(await node(dataDir, program), answersAsItEnds, 10_000)).rejects.toThrow(
    /^subject ended with code 1\. The end of its log, .*:\n {2}port taken$/,
  );
});

test("a child that is not ready in time is killed", async () => {
  const dataDir = await tempFolder();
  const pids: number[] = [];
  const noteAndDeny = async () => {
    pids.push(Number(await readFile(join(dataDir, "pids", "subject.pid"), "utf8")));
    return false;
  };
  await expect(startChild(await node(dataDir, STAYS), noteAndDeny, 200)).rejects.toThrow(
    "subject was not ready within 0.2 s",
  );
  expect(pids.length).toBeGreaterThan(0);
  expect(await living(pids)).toEqual([]);
});

test("a command that fails is an error that quotes its log", async () => {
  const command = await node(
    await tempFolder(),
    `console.error("no such option"); process.exit(1);`,
  );
  await expect(runToEnd(command)).rejects.toThrow("no such option");
});

test("stopping a child leaves neither the process nor its file", async () => {
  const dataDir = await tempFolder();
  const child = await startChild(await node(dataDir, STAYS), isUp, 10_000);
  await child.stop();
  expect(await living([child.pid])).toEqual([]);
  expect(await readdir(join(dataDir, "pids"))).toEqual([]);
});

test("a kill also ends what the child itself has started", async () => {
  const dataDir = await tempFolder();
  const grandchild = join(dataDir, "grandchild.pid");
  const program = `
    import { spawn } from "node:child_process";
    import { writeFileSync } from "node:fs";
    const child = spawn("sleep", ["600"], { detached: true });
    writeFileSync(${JSON.stringify(grandchild)}, String(child.pid));
    ${STAYS}`;
  const child = await startChild(await node(dataDir, program), isUp, 10_000);
  await child.kill();
  expect(await living([Number(await readFile(grandchild, "utf8"))])).toEqual([]);
});

test("children do not outlive a process killed with -9", async () => {
  const dataDir = await tempFolder();
  const owner = await startOwner(dataDir);
  const child = await pidOfChild(dataDir);
  process.kill(owner, "SIGKILL");
  await eventually("the child is gone", async () => (await living([child])).length === 0);
});

test("a guard that is lost is replaced", async () => {
  const dataDir = await tempFolder();
  const owner = await startOwner(dataDir);
  const child = await pidOfChild(dataDir);
  const first = await guardOf(owner);
  process.kill(first, "SIGKILL");
  let second = first;
  await eventually("another guard", async () => {
    second = await guardOf(owner).catch(() => first);
    return second !== first;
  });
  process.kill(owner, "SIGKILL");
  await eventually("child and guard are gone", async () => {
    return (await living([child, second])).length === 0;
  });
});

test("a leftover process is stopped only when its command line shows that it is ours", async () => {
  const dataDir = await tempFolder();
  const child = await startChild(await node(dataDir, STAYS), isUp, 10_000);
  onTestFinished(() => child.kill());
  const file = join(dataDir, "leftover.pid");

  await writeFile(file, `${child.pid}\n`);
  expect(await stopLeftover(file, "/some/other/folder", "SIGTERM")).toBeUndefined();
  expect(await living([child.pid])).toEqual([child.pid]);

  await writeFile(file, `${child.pid}\n`);
  expect(await stopLeftover(file, dataDir, "SIGTERM")).toBe(child.pid);
  await child.ended;
});

async function node(dataDir: string, program: string) {
  const file = join(dataDir, "subject.mjs");
  await writeFile(file, program);
  return { name: "subject", command: process.execPath, args: [file], dataDir };
}

async function isUp(log: string): Promise<boolean> {
  return (await readFile(log, "utf8")).includes("up");
}

/** A process that starts a child as the stack does, and keeps running. */
async function startOwner(dataDir: string): Promise<number> {
  const { args } = await node(dataDir, STAYS);
  const module = join(import.meta.dirname, "../../../infra/local/child-process.ts");
  const command = { name: "subject", command: process.execPath, args, dataDir };
  const file = join(dataDir, "owner.mjs");
  await mkdir(dataDir, { recursive: true });
  await writeFile(
    file,
    `import { startChild } from ${JSON.stringify(module)};
     await startChild(${JSON.stringify(command)}, async () => true, 10_000);
     setInterval(() => {}, 1000);`,
  );
  const owner = spawn(process.execPath, [file], { stdio: "ignore" });
  onTestFinished(() => void owner.kill("SIGKILL"));
  await once(owner, "spawn");
  return owner.pid ?? expect.fail("the owner has no number");
}

/** The guard started by this owner, never another owner's. */
async function guardOf(owner: number): Promise<number> {
  for (const pid of await processTree(owner)) {
    if ((await commandLineOf(pid))?.endsWith(" drawdown-guard") === true) return pid;
  }
  throw new Error(`process ${owner} has no guard`);
}

async function pidOfChild(dataDir: string): Promise<number> {
  const read = () => readFile(join(dataDir, "pids", "subject.pid"), "utf8").catch(() => "");
  await eventually("the child runs", async () => Number(await read()) > 0);
  return Number(await read());
}
