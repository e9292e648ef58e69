import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type PortReservation, reservePort } from "../../../infra/local/reserve-port.ts";
import { eventually } from "../../support/eventually.ts";

const MODULE = join(import.meta.dirname, "../../../infra/local/reserve-port.ts");

test("a reserved port is skipped, though nothing listens there yet", async () => {
  const first = await reserve(24_000);
  expect((await reserve(first.port)).port).toBeGreaterThan(first.port);
});

test("concurrent requests for the same port each get a different one", async () => {
  const ports = (await Promise.all(Array.from({ length: 8 }, () => reserve(24_100)))).map(
    ({ port }) => port,
  );
  expect(new Set(ports).size).toBe(8);
});

test("a released port can be reserved again", async () => {
  const { port, release } = await reserve(24_200);
  await release();
  expect((await reserve(port)).port).toBe(port);
});

test("another process's reservation holds until that process ends, even by kill -9", async () => {
  const program = `
    import { reservePort } from ${JSON.stringify(MODULE)};
    console.log((await reservePort(24_300)).port);
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "--eval", program]);
  onTestFinished(() => void owner.kill("SIGKILL"));
  let said = "";
  owner.stdout.on("data", (text) => {
    said += text;
  });
  await eventually("the other process has a port", () => said.endsWith("\n"));
  const theirs = Number(said);
  expect((await reserve(theirs)).port).toBeGreaterThan(theirs);

  owner.kill("SIGKILL");
  await once(owner, "exit");
  expect((await reserve(theirs)).port).toBe(theirs);
});

/** Released at the end of the test at the latest. */
async function reserve(preferred: number): Promise<PortReservation> {
  const { port, release } = await reservePort(preferred);
  let releasing: Promise<void> | undefined;
  const releaseOnce = () => {
    releasing ??= release();
    return releasing;
  };
  onTestFinished(releaseOnce);
  return { port, release: releaseOnce };
}
