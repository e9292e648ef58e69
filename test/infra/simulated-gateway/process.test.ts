/**
 * The simulated gateway as a separate process: it survives kill -9 without losing data, stops in good
 * order, and refuses wrong settings, a store in use, and production.
 */
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { runGateway, startGatewayProcess } from "../../support/processes/simulated-gateway.ts";
import { receiveWebhooks } from "../../support/processes/webhook-receiver.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("a charge outlives a kill -9 before its answer, and is not made again", async () => {
  const folder = await tempFolder();
  const before = await startGatewayProcess(folder, { SIMULATED_GATEWAY_LATENCY_MS: "60000" });
  const first = before.charge({}, "k1").catch((error: unknown) => error);
  await eventually("it is charged", async () => (await before.payments()).length === 1);
  await before.process.kill();
  expect(await first).toBeInstanceOf(Error);

  const after = await startGatewayProcess(folder);
  expect(await after.payments()).toMatchObject([{ key: "k1", status: "succeeded" }]);
  expect(await after.charge({}, "k1")).toMatchObject({ status: 200, body: { key: "k1" } });
  expect(await after.payments()).toHaveLength(1);
});

test("asked to stop, it answers waiting requests and exits cleanly", async () => {
  const gateway = await startGatewayProcess(await tempFolder());
  const slow = gateway.charge({ method: "card_slow" });
  await eventually("it is charged", async () => (await gateway.payments()).length === 1);
  expect(await gateway.process.stop()).toBe(0);
  expect((await slow).status).toBe(200);
  expect(gateway.process.log.at(-1)).toMatchObject({ level: "info", msg: "stopped" });
});

test("it gives up a webhook after five tries, and logs that", async () => {
  const receiver = await receiveWebhooks(() => 500);
  const gateway = await startGatewayProcess(await tempFolder(), {
    SIMULATED_GATEWAY_WEBHOOK_URL: receiver.url,
    SIMULATED_GATEWAY_WEBHOOK_SECRET: "whsec_of_the_tests",
  });
  await gateway.charge();
  expect(await gateway.process.says(/^webhook abandoned$/)).toMatchObject({
    tries: 5,
    failure: "answered 500",
  });
  expect(receiver.received).toHaveLength(5);
});

describe("it does not start", () => {
  test("in production, whatever else is set", async () => {
    const data = await tempFolder();
    const { ended, log } = runGateway({ SIMULATED_GATEWAY_DATA: data }, "production");
    expect(await ended).toBe(2);
    expect(messagesOf(log)).toEqual([
      "The simulated payment gateway takes no money and does not run where NODE_ENV is production: use a real gateway there.",
    ]);
  });

  test.each([
    { name: "SIMULATED_GATEWAY_DATA", env: {}, problem: "is not set" },
    { name: "SIMULATED_GATEWAY_PORT", env: { SIMULATED_GATEWAY_PORT: "x" }, problem: "" },
    {
      name: "SIMULATED_GATEWAY_LATENCY_MS",
      env: { SIMULATED_GATEWAY_LATENCY_MS: "-1" },
      problem: "",
    },
    {
      name: "SIMULATED_GATEWAY_WEBHOOK_SECRET",
      env: { SIMULATED_GATEWAY_DATA: "/nowhere", SIMULATED_GATEWAY_WEBHOOK_URL: "http://a.test" },
      problem: "is not set",
    },
    {
      name: "SIMULATED_GATEWAY_WEBHOOK_URL",
      env: { SIMULATED_GATEWAY_WEBHOOK_URL: "a.test" },
      problem: "",
    },
    {
      name: "SIMULATED_GATEWAY_WEBHOOK_URL",
      env: { SIMULATED_GATEWAY_WEBHOOK_URL: "http://user:hushhush@a.test" },
      problem: "must not have a user or password",
    },
  ])("without a usable $name", async ({ name, env, problem }) => {
    const { ended, log } = runGateway(env, "test");
    expect(await ended).toBe(2);
    expect(messagesOf(log).join("\n")).toContain(`${name}: ${problem}`);
  });

  test("on a store in use by another one", async () => {
    const folder = await tempFolder();
    await startGatewayProcess(folder);
    const { ended, log } = runGateway({ SIMULATED_GATEWAY_DATA: folder }, "test");
    expect(await ended).toBe(1);
    expect(messagesOf(log).join("\n")).toContain("database is locked");
  });
});

function messagesOf(log: readonly { readonly msg: string }[]): string[] {
  return log.map(({ msg }) => msg);
}
