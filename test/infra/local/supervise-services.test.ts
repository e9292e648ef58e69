import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../infra/local/free-port.ts";
import { localHealth } from "../../../infra/local/health.ts";
import {
  restartWait,
  type Service,
  type SupervisionOptions,
  superviseServices,
} from "../../../infra/local/supervise-services.ts";
import { eventually } from "../../support/eventually.ts";
import { living } from "../../support/living.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const SAYS_ITS_NUMBER = `console.log("pid " + process.pid);`;
const STAYS = `${SAYS_ITS_NUMBER} setInterval(() => {}, 1000);`;
const FAILS = `${SAYS_ITS_NUMBER} process.exit(3);`;
const IGNORES_SIGTERM = `process.on("SIGTERM", () => {}); ${STAYS}`;

test("the wait before a restart doubles from half a second to half a minute", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 100].map((failures) => restartWait(failures));
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("each service has a port for its health, and commands are told all of them", async () => {
  const { services, env } = await localHealth([
    { name: "metering", file: "m" },
    { name: "api", file: "a" },
  ]);
  const [metering, api] = services.map(({ healthPort }) => healthPort);
  expect(metering).not.toBe(api);
  const asked = `metering=http://127.0.0.1:${metering},api=http://127.0.0.1:${api}`;
  expect(env).toEqual({ HEALTH_ADDRESSES: asked });
});

test("a service that dies is restarted, each time after a longer wait", async () => {
  const { lines } = await supervise(FAILS);
  await eventually("three restarts", () => lines.filter(isRestart).length >= 3);
  expect(lines.filter(isRestart).slice(0, 3)).toEqual([
    "subject ended with code 3; restarting in 0.01 s",
    "subject ended with code 3; restarting in 0.02 s",
    "subject ended with code 3; restarting in 0.04 s",
  ]);
});

test("a service that ran well for a while is restarted after the first wait again", async () => {
  const waits = { firstMs: 10, longestMs: 1000, healthyAfterMs: 0 };
  const { lines } = await supervise(FAILS, { waits });
  await eventually("three restarts", () => lines.filter(isRestart).length >= 3);
  expect(new Set(lines.filter(isRestart))).toEqual(
    new Set(["subject ended with code 3; restarting in 0.01 s"]),
  );
});

test("a killed service is restarted", async () => {
  const { lines } = await supervise(STAYS);
  await eventually("a start", () => pidsIn(lines).length === 1);
  for (const pid of pidsIn(lines)) process.kill(pid, "SIGKILL");
  await eventually("a second start", () => pidsIn(lines).length === 2);
  expect(lines.filter(isRestart)).toEqual(["subject was ended by SIGKILL; restarting in 0.01 s"]);
});

test("the process id of a service is known while it runs", async () => {
  const { lines, supervision } = await supervise(STAYS);
  await eventually("a start", () => pidsIn(lines).length === 1);
  expect([supervision.pidOf("subject")]).toEqual(pidsIn(lines));
  expect(supervision.pidOf("another")).toBeUndefined();
  await supervision.stop();
  expect(supervision.pidOf("subject")).toBeUndefined();
});

describe("a service that answers for its health", () => {
  const answers = (status: number, checks: object) => `
    import { createServer } from "node:http";
    const text = ${JSON.stringify(JSON.stringify({ checks }))};
    let asked = 0;
    createServer((_, answer) => {
      asked += 1;
      if (asked === 3) console.log("asked");
      answer.writeHead(${status}).end(text);
    }).listen(process.env.HEALTH_PORT, process.env.HEALTH_HOST);
    ${SAYS_ITS_NUMBER}`;
  const up = { consumer: { status: "up" } };
  const reason = "it has not moved for 65 s";
  const down = { consumer: { status: "down", since: "2026-11-29T12:00:00.000Z", reason } };

  test("is restarted once it says that it is not alive", async () => {
    const { lines } = await superviseHealth(answers(503, { ...down, runs: { status: "up" } }));
    await eventually("a second start", () => pidsIn(lines).length === 2);
    expect(lines.filter((line) => !line.includes(" | ")).slice(0, 2)).toEqual([
      "subject is not alive (consumer: it has not moved for 65 s); stopping it",
      "subject was ended by SIGTERM; restarting in 0.01 s",
    ]);
  });

  test("is restarted once it has given no answer for long, though its process is there", async () => {
    const silent = `
      let asked = 0;
      (await import("node:http")).createServer((_, answer) => {
        asked += 1;
        if (asked > 1) answer.destroy();
        else answer.end('${JSON.stringify({ checks: up })}');
      }).listen(process.env.HEALTH_PORT, process.env.HEALTH_HOST);
      ${SAYS_ITS_NUMBER}`;
    const { lines } = await superviseHealth(silent);
    await eventually("a second start", () => pidsIn(lines).length === 2);
    expect(lines).toContain("subject is not alive (no answer, 9 times in a row); stopping it");
  });

  test("is left alone while it is alive", async () => {
    const { lines, supervision } = await superviseHealth(answers(200, up));
    await eventually("it is asked", () => lines.includes("subject | asked"));
    expect([supervision.pidOf("subject")]).toEqual(pidsIn(lines));
    expect(lines).toHaveLength(2);
  });

  async function superviseHealth(program: string) {
    const healthPort = await freePort(28_500, new Set());
    return supervise(program, { askLivenessEveryMs: 10 }, { healthPort });
  }
});

test("after a stop no service is left, and none is restarted", async () => {
  const { lines, supervision } = await supervise(STAYS);
  await eventually("a start", () => pidsIn(lines).length === 1);
  await supervision.stop();
  expect(await living(pidsIn(lines))).toEqual([]);
  expect(lines.filter(isRestart)).toEqual([]);
});

test("a service that does not stop when asked is killed after the time limit", async () => {
  const { lines, supervision } = await supervise(IGNORES_SIGTERM, { stopWithinMs: 50 });
  await eventually("a start", () => pidsIn(lines).length === 1);
  await supervision.stop();
  expect(await living(pidsIn(lines))).toEqual([]);
});

test("a stop during the wait before a restart ends the wait", async () => {
  const waits = { firstMs: 60_000, longestMs: 60_000, healthyAfterMs: 60_000 };
  const { lines, supervision } = await supervise(FAILS, { waits });
  await eventually("the wait", () => lines.some(isRestart));
  await supervision.stop();
  expect(pidsIn(lines)).toHaveLength(1);
});

async function supervise(
  program: string,
  options: Pick<SupervisionOptions, "waits" | "stopWithinMs" | "askLivenessEveryMs"> = {},
  service: Pick<Service, "healthPort"> = {},
) {
  const file = join(await tempFolder(), "subject.mjs");
  await writeFile(file, program);
  const lines: string[] = [];
  const supervision = superviseServices([{ name: "subject", file, ...service }], {
    env: process.env,
    say: (line) => lines.push(line),
    waits: { firstMs: 10, longestMs: 1000, healthyAfterMs: 60_000 },
    ...options,
  });
  onTestFinished(() => supervision.kill());
  return { lines, supervision };
}

function isRestart(line: string): boolean {
  return line.includes("; restarting in ");
}

function pidsIn(lines: readonly string[]): number[] {
  return lines.flatMap((line) => {
    const pid = /^subject \| pid (\d+)$/.exec(line)?.[1];
    return pid === undefined ? [] : [Number(pid)];
  });
}
