import autocannon from "autocannon";
import { type HttpProcess, makeBenchKey, startApi, startHttp } from "./api-process.ts";
import type { Figure } from "./figure.ts";
import { accountName, seededRandom } from "./load.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Bench } from "./throughput.ts";

const ACCOUNTS = 10_000;
const CONNECTIONS = 64;
const WARM_UP_SECONDS = 3;
const PATHS = 1_000;

interface Reads {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Balances read a second, and their p99, beside a bare route with one SELECT by the primary key. */
export async function balanceReads(bench: Bench, seconds: number): Promise<Figure[]> {
  const url = await bench.books.make(ACCOUNTS, 1);
  const key = await makeBenchKey(url, "read");
  const subject = () => startApi(bench, url);
  const floor = () => startHttp(bench, url, ["test/bench/bare-select.ts"]);
  const rounds: { bare: Reads; api: Reads }[] = [];
  try {
    for (let round = 0; round < bench.rounds; round += 1) {
      bench.say(`balance reads: round ${round + 1} of ${bench.rounds}`);
      const bare = await reads(await floor(), key, seconds);
      rounds.push({ bare, api: await reads(await subject(), key, seconds) });
    }
  } finally {
    await bench.books.drop(url);
  }
  const of = (what: keyof Reads, who: "bare" | "api") => rounds.map((round) => round[who][what]);
  const ratioOf = (what: keyof Reads) =>
    spreadOf(of(what, "api").map((value, at) => value / (of(what, "bare")[at] ?? Number.NaN)));
  const figure = (what: keyof Reads) => ({
    value: spreadOf(of(what, "api")).median,
    beside: { name: "bare SELECT", value: spreadOf(of(what, "bare")).median },
    ratio: ratioOf(what),
  });
  return [
    {
      name: `balance reads, ${CONNECTIONS} connections`,
      unit: "reads/s",
      ...figure("perSecond"),
      target: { atLeast: 0.7 },
    },
    { name: "balance reads, p99", unit: "ms", ...figure("p99Ms") },
  ];
}

async function reads(server: HttpProcess, key: string, seconds: number): Promise<Reads> {
  try {
    await load(server.origin, key, WARM_UP_SECONDS);
    return await load(server.origin, key, seconds);
  } finally {
    await server.end();
  }
}

async function load(origin: string, key: string, seconds: number): Promise<Reads> {
  const random = seededRandom(seconds);
  const took: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const options: autocannon.Options = {
    url: origin,
    connections: CONNECTIONS,
    duration: seconds,
    headers: { authorization: `Bearer ${key}` },
    requests: Array.from({ length: PATHS }, () => ({
      path: `/v1/accounts/${accountName(random(ACCOUNTS))}/balance`,
    })),
  };
  const running = autocannon(options, (error: unknown, result) => {
    if (error === null || error === undefined) resolve(result);
    else reject(error);
  });
  running.on("response", (_client, status, _bytes, ms) => {
    if (status === 200) took.push(ms);
    else reject(new Error(`a balance was answered with ${status}`));
  });
  const { duration } = await promise;
  took.sort((a, b) => a - b);
  return { perSecond: took.length / duration, p99Ms: quantile(took, 0.99) };
}
