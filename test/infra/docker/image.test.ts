/**
 * The image as its Dockerfile makes it. Its containers run as docs/operating.md promises they can: on a read-only
 * root file system, without a capability, as the container's first process. They reach the servers of the tests.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { freePort } from "../../../infra/local/free-port.ts";
import { BUNDLED, PROJECT, shippedPackages } from "../../../infra/supply-chain/lock-file.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { eventually } from "../../support/eventually.ts";
import { testKafka } from "../../support/kafka/kafka.ts";
import { openUsagePublisher } from "../../support/kafka/publish-usage.ts";
import { takeUsageTopic } from "../../support/kafka/usage-topic.ts";
import { takeTopUpGroup } from "../../support/processes/top-up-process.ts";
import { findDocker, NO_ENGINE } from "./docker.ts";

const BASE = "node:24-slim";
const NAME = `drawdown-test-${process.pid}`;
const LABELS = { version: "1.2.3", revision: "abcdef" };
const MOST_BYTES = 200_000_000;
const HEALTHY_WITHIN_MS = 60_000;
/** Compose waits for twenty seconds, Docker alone for ten. */
const STOPS_WITHIN_SECONDS = 10;
const RESTRICTED = [
  ...["--network", "host", "--read-only", "--cap-drop", "ALL"],
  ...["--security-opt", "no-new-privileges:true"],
];

const found = await findDocker();
const docker = found ?? (() => Promise.reject(new Error(NO_ENGINE)));
const kafka = testKafka();
const giveBack: (() => Promise<unknown>)[] = [];
let books: Books;

beforeAll(async () => {
  if (found === null) return;
  giveBack.push(await takeUsageTopic(kafka), await takeTopUpGroup(kafka));
  books = await openBooks();
  giveBack.push(() => books.close());
  await needBase();
  await docker(
    ...["build", "--quiet", "--network", "host", "--file", "infra/docker/Dockerfile"],
    ...["--build-arg", `VERSION=${LABELS.version}`, "--build-arg", `REVISION=${LABELS.revision}`],
    ...["--tag", NAME, PROJECT],
  );
  giveBack.push(() => docker("image", "rm", "--force", NAME));
}, 1_200_000);

beforeEach(({ skip }) => skip(found === null, NO_ENGINE));

afterAll(async () => {
  for (const give of giveBack.toReversed()) await give();
}, 60_000);

test("takes less than 200 MB over its base, and says which version it is", async () => {
  const [base = 0, size = 0] = await Promise.all([BASE, NAME].map(sizeOf));
  expect(size - base).toBeGreaterThan(1_000_000);
  expect(size - base).toBeLessThan(MOST_BYTES);
  const labels = z
    .record(z.string(), z.string())
    .parse(JSON.parse(await docker("inspect", "--format", "{{json .Config.Labels}}", NAME)));
  expect(labels).toMatchObject({
    "org.opencontainers.image.title": "Drawdown",
    "org.opencontainers.image.version": LABELS.version,
    "org.opencontainers.image.revision": LABELS.revision,
  });
});

test("has the packages that it runs with, no others, and a bill of all that it ships", async () => {
  const shipped = shippedPackages();
  const run = shipped.filter(({ name }) => !BUNDLED.includes(name)).map(({ path }) => path);
  const listed = await inImage(
    "find node_modules -name package.json -path '*node_modules/*/package.json'",
  );
  const packages = listed.split("\n").flatMap((file) => {
    const [, path] =
      /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(file) ?? [];
    return path ?? [];
  });
  expect(run.length).toBeGreaterThan(50);
  expect(packages.filter((path) => !run.includes(path))).toEqual([]);
  expect(packages).toContain("node_modules/kafkajs");
  const bill = z
    .object({ components: z.array(z.object({ name: z.string() })) })
    .parse(JSON.parse(await inImage("cat sbom.cdx.json")));
  expect(new Set(bill.components.map(({ name }) => name))).toEqual(
    new Set(shipped.map(({ name }) => name)),
  );
});

test("runs as user 1000, without a capability, and can write nowhere", async () => {
  const script =
    "id -u; id -g; while read -r line; do case $line in CapEff*|NoNewPrivs*) echo $line; esac; done </proc/self/status;" +
    " for folder in /app /tmp /var/lib/drawdown; do touch $folder/x 2>/dev/null && echo $folder; done; true";
  expect((await inImage(script)).split("\n")).toEqual([
    ...["1000", "1000", "CapEff: 0000000000000000", "NoNewPrivs: 1"],
  ]);
});

test("each service is healthy by the image's own check, works, and ends in time when asked to", async () => {
  await setPrice(books, "call", 1_000_000n);
  await openAccount(books, "image-1", { lots: [{ credits: 5_000_000n }] });
  const services = ["metering", "scheduler", "top-up", "webhooks", "api"];
  const ports = await portsFor(services.length + 2);
  const running = await Promise.all(
    services.map((service, at) =>
      start(service, {
        HEALTH_PORT: ports[at] ?? "",
        API_PORT: ports.at(-1) ?? "",
        WEBHOOK_PORT: ports.at(-2) ?? "",
      }),
    ),
  );
  await Promise.all(running.map((id) => untilHealthIs(id, "healthy")));

  const usage = await openUsagePublisher(kafka);
  await usage.publish([{ accountId: "image-1", eventId: "image-1", quantity: 2n }]);
  await usage.close();
  await eventually("metering has drawn it, and the command line says so", async () => {
    const shown = await inImage("node services/cli/main.js account show image-1");
    return /^balance +3 credits$/m.test(shown);
  });
  const answer = await fetch(`http://127.0.0.1:${ports.at(-1)}/health`);
  expect(await answer.json()).toEqual({ status: "up" });

  const [metering = "", ...others] = running;
  await docker("kill", "--signal", "STOP", metering);
  await untilHealthIs(metering, "unhealthy");
  await docker("kill", "--signal", "CONT", metering);
  await docker("stop", "--time", `${STOPS_WITHIN_SECONDS}`, metering, ...others);
  const ended = await Promise.all(
    running.map((id) => docker("inspect", "--format", "{{.State.ExitCode}}", id)),
  );
  // 137: it had to be killed.
  expect(Object.fromEntries(services.map((service, at) => [service, ended[at]]))).toEqual(
    Object.fromEntries(services.map((service) => [service, "0"])),
  );
}, 240_000);

/** The image's base: the official one where it can be had, or else its stand-in. */
async function needBase(): Promise<void> {
  const isThere = await docker("image", "inspect", BASE)
    .then(
      () => true,
      () => docker("pull", "--quiet", BASE).then(() => true),
    )
    .catch(() => false);
  if (!isThere) {
    await promisify(execFile)(join(PROJECT, "infra/docker/stand-ins/build.sh"), ["node"]);
  }
}

async function sizeOf(image: string): Promise<number> {
  return Number(await docker("image", "inspect", "--format", "{{.Size}}", image));
}

/** What a command of the shell prints in a container. */
function inImage(script: string): Promise<string> {
  const environment = settings({}).flatMap((one) => ["--env", one]);
  return docker("run", "--rm", ...RESTRICTED, ...environment, NAME, "sh", "-c", script);
}

/** Starts a service in a container that is removed after the test; its health is asked for more often. */
async function start(service: string, own: Readonly<Record<string, string>>): Promise<string> {
  const id = await docker(
    ...["run", "--detach", ...RESTRICTED],
    ...["--health-interval", "1s", "--health-timeout", "4s", "--health-retries", "2"],
    ...settings(own).flatMap((one) => ["--env", one]),
    ...[NAME, "node", `services/${service}/main.js`],
  );
  onTestFinished(async () => {
    await docker("rm", "--force", "--volumes", id);
  });
  return id;
}

function settings(own: Readonly<Record<string, string>>): string[] {
  const { KAFKA_BROKERS = "", SCHEMA_REGISTRY_URL = "" } = process.env;
  const all = {
    ...{ KAFKA_BROKERS, SCHEMA_REGISTRY_URL, DATABASE_URL: books.url },
    // Not for production, where the gateway of tests is refused.
    ...{ NODE_ENV: "development", PAYMENT_GATEWAY: "simulated" },
    ...{ SIMULATED_GATEWAY_URL: "http://127.0.0.1:9", SIMULATED_GATEWAY_WEBHOOK_SECRET: "any" },
    ...own,
  };
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
}

async function portsFor(count: number): Promise<string[]> {
  const taken = new Set<number>();
  for (let at = 0; at < count; at += 1) taken.add(await freePort(18_100 + at, taken));
  return [...taken].map(String);
}

async function untilHealthIs(id: string, wanted: "healthy" | "unhealthy"): Promise<void> {
  let status = "";
  await eventually(
    `the container is ${wanted}`,
    async () => {
      status = await docker(
        "inspect",
        "--format",
        "{{.State.Status}} {{.State.Health.Status}}",
        id,
      );
      return status === `running ${wanted}`;
    },
    HEALTHY_WITHIN_MS,
  ).catch(async (error: Error) => {
    throw new Error(
      `${error.message}; it is ${status}: ${await docker("logs", "--tail", "5", id)}`,
    );
  });
}
