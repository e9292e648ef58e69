import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import type { Instant } from "../../shared/core/account.ts";
import { GRACE_MS } from "../../shared/core/account-book.ts";
import { anchorOf, periodStart } from "../../shared/core/billing-periods.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const ACCOUNT = "demo-studio";
const ZONE = "America/New_York";
const METERED_WITHIN_MS = 20_000;

/** What is used in the first month: 40 minutes of voice and a hundred queries, 245 credits. */
const USAGE = [
  { account_id: ACCOUNT, meter: "voice.milliseconds", quantity: 40 * 60 * 1000 },
  { account_id: ACCOUNT, meter: "kb.queries", quantity: 100 },
];
const USED = 245_000_000n;

/**
 * Shows two turns of the month on an account of its own, by the commands that anybody would type:
 * the month's credits, an add-on's charge, what rolls over and what expires. It moves the clock ahead
 * for all accounts of the books, so it is for books that are the demo's alone.
 */
export async function showMonth(
  env: NodeJS.ProcessEnv,
  now: Instant,
  say: (line: string) => void,
): Promise<void> {
  const type = async (...args: string[]) => {
    say(`\n$ drawdown ${args.join(" ")}`);
    say(await drawdown(env, args));
  };
  const anchor = anchorOf(now, "first_of_month", ZONE);
  const afterTurn = (period: number) =>
    new Date(periodStart(anchor, period, ZONE) + GRACE_MS).toISOString();

  say("\nThe month: credits that roll over, and credits that expire");
  await type("catalogue", "apply", "infra/demo/catalogue.yaml");
  await type("account", "create", ACCOUNT, "--time-zone", ZONE);
  await type("subscription", "start", ACCOUNT, "starter");
  await type("add-on", "set", ACCOUNT, "knowledge_bases", "2");
  await withUsageFile((file) => type("publish", file));
  await untilMetered(env);
  await type("lots", ACCOUNT);
  await type("scheduler", "run", "--at", afterTurn(1));
  await type("lots", ACCOUNT);
  await type("scheduler", "run", "--at", afterTurn(2));
  await type("lots", ACCOUNT);
  await type("entries", ACCOUNT);
}

async function withUsageFile(work: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "drawdown-demo-"));
  try {
    const file = join(folder, "usage.ndjson");
    await writeFile(file, USAGE.map((event) => `${JSON.stringify(event)}\n`).join(""));
    await work(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function untilMetered(env: NodeJS.ProcessEnv): Promise<void> {
  const charged = 100_000_000n;
  const deadline = performance.now() + METERED_WITHIN_MS;
  while (BigInt(await positionOf(env)) < charged + USED) {
    if (performance.now() > deadline) throw new Error("the usage of the month was not metered");
    await wait(200);
  }
}

async function positionOf(env: NodeJS.ProcessEnv): Promise<string> {
  const shown: unknown = JSON.parse(await drawdown(env, ["account", "show", ACCOUNT, "--json"]));
  if (typeof shown === "object" && shown !== null && "position" in shown) {
    return String(shown.position);
  }
  throw new Error(`account ${ACCOUNT} has no position`);
}

const run = promisify(execFile);

/** What the command prints; throws when it fails. */
async function drawdown(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ["services/cli/main.ts", ...args], {
    cwd: PROJECT,
    env,
  });
  return stdout.trimEnd();
}
