import { createServer } from "node:net";

const TRIES = 200;

/** `preferred` if it is free on 127.0.0.1, else the next free port. */
export async function freePort(preferred: number, taken: ReadonlySet<number>): Promise<number> {
  const last = Math.min(preferred + TRIES, 65_535);
  for (let port = preferred; port <= last; port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(
    `No port between ${preferred} and ${last} is free: stop a server that uses one of them.`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      probe.close(() => resolve(true));
    });
  });
}
