import pg from "pg";
import { inDatabase } from "./books.ts";
import { type Run, runMetering, timed } from "./consume.ts";
import { type Figure, rateFigure } from "./figure.ts";
import { type Bench, backlog, inTurn } from "./throughput.ts";
import { runCommand, startCommand } from "./whole-command.ts";

const ACCOUNTS = 10_000;
const LOTS = 4;

// The lots of these books with their grants, so that there are entries to post.
const ENTRIES = `
  INSERT INTO entry (account_id, sequence, kind, credits, granted, position, version, lot_id,
                     reference, due_at, posted_at)
  SELECT account_id, row_number() OVER line, 'grant', credits, end_position, 0, 1, lot_id,
         reference, granted_at, granted_at
  FROM lot
  WINDOW line AS (PARTITION BY account_id ORDER BY start_position)`;

const COUNT_ENTRIES =
  "UPDATE account SET entries = (SELECT count(*) FROM entry WHERE entry.account_id = account.account_id)";

/**
 * Replay into an empty database beside live metering of the same events, everything on, and the figures
 * of the whole command, including copying, comparing and memory.
 */
export async function replays(bench: Bench): Promise<Figure[]> {
  const total = await backlog(bench, {
    events: bench.events,
    accounts: ACCOUNTS,
    repeatsPercent: 0,
  });
  let source = "";
  const pairs = await inTurn(bench, "replay", {
    floor: async () => {
      if (source !== "") await bench.books.drop(source);
      source = await bench.books.make(ACCOUNTS, LOTS);
      await inDatabase(source, async (pool) => {
        await pool.query(ENTRIES);
        await pool.query(COUNT_ENTRIES);
      });
      return runMetering(bench.servers, source, total);
    },
    subject: async () => {
      const target = await bench.books.makeEmpty();
      const run = await runReplay(bench, { source, target, total });
      await bench.books.drop(target);
      return run;
    },
  });
  const target = await bench.books.makeEmpty();
  const whole = await runCommand(bench, source, ["replay", "--into", target]);
  for (const url of [source, target]) await bench.books.drop(url);
  return [
    rateFigure("replay into an empty database", pairs, "metering", { atLeast: 0.9 }),
    {
      name: `the whole command, ${total.toLocaleString("en")} events: copied, metered, compared`,
      value: total / whole.seconds,
      unit: "events/s",
    },
    {
      name: "memory of the replay",
      value: whole.peakMegabytes,
      unit: "MB",
      target: { atMost: 400 },
    },
  ];
}

interface Replay {
  readonly source: string;
  readonly target: string;
  readonly total: number;
}

/** Its metering speed, by the offsets stored meanwhile. */
async function runReplay(bench: Bench, { source, target, total }: Replay): Promise<Run> {
  const pool = new pg.Pool({ connectionString: target, max: 1 });
  pool.on("error", () => undefined);
  const end = await sumOfPlaces(source, "metering");
  const child = startCommand(bench.servers, source, ["replay", "--into", target]);
  try {
    let isBegun = false;
    return await timed(bench.servers, child, total, async () => {
      const { rows } = await pool
        .query(
          "SELECT sum(next_offset)::float8 AS sum FROM consumer_offset WHERE consumer = 'replay'",
        )
        .catch(() => ({ rows: [] }));
      const sum: number | null = rows[0]?.sum ?? null;
      isBegun ||= sum !== null;
      if (!isBegun) return 0;
      return sum === null ? total : total - (end - sum);
    });
  } finally {
    await pool.end();
  }
}

async function sumOfPlaces(url: string, consumer: string): Promise<number> {
  let sum = 0;
  await inDatabase(url, async (pool) => {
    const { rows } = await pool.query(
      "SELECT sum(next_offset)::float8 AS sum FROM consumer_offset WHERE consumer = $1",
      [consumer],
    );
    sum = rows[0]?.sum ?? 0;
  });
  return sum;
}
