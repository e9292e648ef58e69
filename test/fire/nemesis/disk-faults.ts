import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { again } from "../again.ts";
import type { Stage } from "../stage/stage.ts";
import { asSuperuser, connect } from "./as-superuser.ts";
import type { Count, Kind } from "./kind.ts";

const NO_ROOM = /No space left on device/g;
/** Beyond what Postgres keeps of old WAL for new. */
const MOST_WAL = 400;

/** What happens to Postgres where its disk is full: data, WAL and all. */
export const DISK_FAULTS: readonly Kind[] = [
  {
    name: "the disk of Postgres is full",
    about: "postgres",
    lasts: [6, 10],
    backWithin: 30,
    counts: "writes refused",
    impossible: whyNoDisk,
    async begin(stage, _, count) {
      const told = await timesTold(stage);
      await stage.disk?.fill();
      return () => makeRoom(stage, told, count);
    },
  },
  {
    name: "Postgres dies of a full disk",
    about: "postgres",
    lasts: [2, 5],
    backWithin: 40,
    counts: "writes refused",
    impossible: whyNoDisk,
    async begin(stage, _, count) {
      const told = await timesTold(stage);
      await stage.disk?.fill();
      await asSuperuser(stage, useUpWal).catch(() => undefined); // it has died
      return () => makeRoom(stage, told, count);
    },
  },
];

function whyNoDisk({ disk }: Stage): string | null {
  return disk === null ? "Postgres has no disk of its own here" : null;
}

/** Writes WAL until there is no room for more, of which Postgres dies. */
async function useUpWal(client: pg.Client): Promise<void> {
  for (let written = 0; written < MOST_WAL; written += 1) {
    await client.query("SELECT pg_logical_emit_message(false, 'fire', repeat('x', 4 << 20))");
  }
  throw new Error("Postgres does not notice that its disk is full");
}

/** Nobody has to do more than make room, and start the server if it has died. */
async function makeRoom(stage: Stage, told: number, count: Count): Promise<void> {
  count((await timesTold(stage)) - told);
  await stage.disk?.free();
  const { postgres } = stage.stack.parts;
  await again(async () => {
    if (postgres.pid === undefined) await postgres.start();
    const client = await connect(stage.superuserUrl);
    await client.end();
  });
}

/** How often Postgres has told its log since it was started that there is no room. */
async function timesTold({ folder }: Stage): Promise<number> {
  const log = await readFile(join(folder, "servers", "logs", "postgres.log"), "utf8");
  return [...log.matchAll(NO_ROOM)].length;
}
