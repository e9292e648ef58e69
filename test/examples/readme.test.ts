/** The README from top to bottom: its commands and samples as they are typed, in order, in a fresh copy. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { secondTerminal, writeServers } from "../../infra/local/second-terminal.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { eventually } from "../support/eventually.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { TURN_MS, takeTopUpGroup } from "../support/processes/top-up-process.ts";
import { superuserUrl } from "../support/stack/template.ts";
import { fencedBlocks, firstTerminal } from "./readme-blocks.ts";

const REPOSITORY = resolve(import.meta.dirname, "../..");
const WITHIN_MS = 240_000;
/** Which npm start writes for servers of its own. */
const SERVERS_FILE = ".local/data/servers.sh";
const kafka = testKafka();

/** The folder beside which the README's product lies. */
let folder: string;
let copy: string;
let books: Books;
const giveBack: (() => Promise<void>)[] = [];

beforeAll(async () => {
  giveBack.push(await takeUsageTopic(kafka), await takeTopUpGroup(kafka));
  books = await openBooks();
  folder = await mkdtemp(join(tmpdir(), "readme-"));
  copy = join(folder, "drawdown");
  await mkdir(copy);
  // As a clone would be, with what is not committed yet; what npm installs is here already.
  const files = "git ls-files -z --cached --others --exclude-standard";
  await typed(
    `cd ${REPOSITORY} && ${files} | tar --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -xf - -C ${copy}`,
  ).ended;
  await symlink(join(REPOSITORY, "node_modules"), join(copy, "node_modules"));
}, TURN_MS);

afterAll(async () => {
  await books?.close();
  for (const give of giveBack) await give();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test("every command and every sample of the README runs", { timeout: WITHIN_MS }, async () => {
  const readme = await readFile(join(REPOSITORY, "README.md"), "utf8");
  const [start, ...blocks] = fencedBlocks(readme);
  const { before, running } = firstTerminal(start);
  // The servers of this test, in place of those that it would start; the demo plays faster.
  await typed(before, servers()).ended;
  const services = typed(running, servers());
  try {
    await eventually("npm start shows the API", () => apiOf(services) !== null, 60_000);
    const api = apiOf(services) ?? "";
    // Before, it would take those servers for its own, and start them.
    await mkdir(join(copy, ".local/data"), { recursive: true });
    await writeServers(join(copy, SERVERS_FILE), servers());
    const typedThere: string[] = [];
    for (const { language, text } of blocks) {
      const here = withAddresses(text, api);
      if (language === "sh") typedThere.push(here);
      else typedThere.push(`cat > ../chat-api/usage.mjs <<'END'\n${here}\nEND`);
    }
    const second = typed(typedThere.join("\n"));
    expect(await second.ended).toMatch(/HTTP\/1.1 202 Accepted/);

    const printed = secondTerminal(SERVERS_FILE, api);
    const link = await typed(printed.join("\n")).ended;
    const [url = ""] = /http:\/\/\S+\/dashboard\/\S*/.exec(link) ?? [];
    expect((await fetch(url)).status).toBe(200);
    await eventually("both events are metered", async () => {
      const { rows } = await books.database.query(
        "SELECT events FROM spend WHERE account_id = 'acme'",
      );
      return rows.reduce((sum, { events }) => sum + Number(events), 0) === 2;
    });
  } finally {
    await services.interrupt();
  }
  expect(services.output()).toMatch(/Everything has stopped\.\n$/);
});

/** Its set-up migrates with the role of DATABASE_URL, as with any servers that are given. */
const servers = () => ({
  DATABASE_URL: superuserUrl(books.url),
  KAFKA_BROKERS: process.env["KAFKA_BROKERS"] ?? "",
  SCHEMA_REGISTRY_URL: process.env["SCHEMA_REGISTRY_URL"] ?? "",
});

/** The README's addresses are those of a machine where nothing else runs. */
function withAddresses(text: string, api: string): string {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL } = servers();
  return text
    .replace("127.0.0.1:9092", KAFKA_BROKERS)
    .replace("http://127.0.0.1:8081/apis/ccompat/v7", SCHEMA_REGISTRY_URL)
    .replace("http://127.0.0.1:8088", api);
}

const apiOf = ({ output }: Typed) => /API +(http:\/\/\S+)\/docs/.exec(output())?.[1] ?? null;

interface Typed {
  /** The output; throws with all of it when a command fails. */
  readonly ended: Promise<string>;
  output(): string;
  /** As Ctrl-C does; resolves when all of it has ended. */
  interrupt(): Promise<void>;
}

/** Types lines into a terminal of its own, in the copy; the first that fails ends it. */
function typed(lines: string, more: Readonly<Record<string, string>> = {}): Typed {
  const child: ChildProcess = spawn("bash", ["-e", "-x", "-o", "pipefail", "-c", lines], {
    cwd: copy,
    env: { ...terminal(), ...more },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const closed = once(child, "close");
  const ended = closed.then(([code]) => {
    if (code !== 0) throw new Error(`ended with ${code}:\n${output}`);
    return output;
  });
  ended.catch(() => undefined);
  return {
    ended,
    output: () => output,
    async interrupt() {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGINT");
      await closed;
    },
  };
}

/** The environment of a new terminal: nothing of this run and of the npm that started it. */
function terminal(): NodeJS.ProcessEnv {
  const ours =
    /^(DATABASE_URL|KAFKA_BROKERS|SCHEMA_REGISTRY_URL|NODE_ENV|VITEST.*|npm_(?!config_).*|npm_config_local_prefix)$/;
  const env = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const dirs = (process.env["PATH"] ?? "").split(delimiter);
  return {
    ...Object.fromEntries(env),
    PATH: dirs.filter((dir) => !dir.includes("node_modules")).join(delimiter),
    npm_config_prefer_offline: "true",
  };
}
