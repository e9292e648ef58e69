import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../infra/local/free-port.ts";

test("a free port is used as given", async () => {
  const preferred = await freePort(23_000, new Set());
  expect(await freePort(preferred, new Set())).toBe(preferred);
});

test("a port in use is skipped for the next free one", async () => {
  const occupied = await listen();
  const port = await freePort(occupied, new Set());
  expect(port).toBeGreaterThan(occupied);
  expect(port).toBeLessThan(occupied + 200);
});

test("a port already chosen for another server is skipped too", async () => {
  const preferred = await freePort(23_500, new Set());
  expect(await freePort(preferred, new Set([preferred]))).toBeGreaterThan(preferred);
});

async function listen(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return isInternet(address) ? address.port : expect.fail("not listening on a port");
}

function isInternet(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
