import pg from "pg";
import { again } from "../again.ts";
import type { Stage } from "../stage/stage.ts";

/** Works on a connection beside the faults, once Postgres takes one. */
export async function asSuperuser(
  { superuserUrl }: Stage,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = await again(() => connect(superuserUrl));
  try {
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A connection whose loss fails the query, and nothing else. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
