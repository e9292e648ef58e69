import autocannon from "autocannon";
import { type HttpProcess, makeBenchKey, startApi, startHttp } from "./api-process.ts";
import { type CpuSeconds, cpuBetween, cpuSeconds } from "./cpu.ts";
import { type Figure, medianCpu } from "./figure.ts";
import { accountName, seededRandom } from "./load.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Bench } from "./throughput.ts";

const ACCOUNTS = 10_000;
const CONNECTIONS = 64;
const WARM_UP_SECONDS = 3;
const PATHS = 1_000;

interface Reads {
  readonly cpu: CpuSeconds;
  readonly perSecond: number;
  readonly p99Ms: number;
}

type Measured = "perSecond" | "p99Ms";

/** Balance reads per second, and their p99, beside a bare route with one SELECT by the primary key. */
export async function balanceReads(bench: Bench, seconds: number): Promise<Figure[]> {
  const url = await bench.books.make(ACCOUNTS, 1);
  const key = await makeBenchKey(url, "read");
  const subject = () => startApi(bench, url);
  const floor = () => startHttp(bench, url, ["test/bench/bare-select.ts"]);
  const rounds: { bare: Reads; api: Reads }[] = [];
  try {
    for (let round = 0; round < bench.rounds; round += 1) {
      bench.say(`balance reads: round ${round + 1} of ${bench.rounds}`);
      const bare = await reads(bench, await floor(), key, seconds);
      rounds.push({ bare, api: await reads(bench, await subject(), key, seconds) });
    }
  } finally {
    await bench.books.drop(url);
  }
  const of = (what: Measured, who: "bare" | "api") => rounds.map((round) => round[who][what]);
  const ratioOf = (what: Measured) =>
    spreadOf(of(what, "api").map((value, at) => value / (of(what, "bare")[at] ?? Number.NaN)));
  const figure = (what: Measured) => ({
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
      cpuPerMillion: {
        subject: medianCpu(rounds.map(({ api }) => api)),
        floor: medianCpu(rounds.map(({ bare }) => bare)),
      },
    },
    { name: "balance reads, p99", unit: "ms", ...figure("p99Ms") },
  ];
}

async function reads(
  { servers }: Bench,
  server: HttpProcess,
  key: string,
  seconds: number,
): Promise<Reads> {
  const pids = {
    ...{ node: server.child.pid ?? 0, postgres: servers.postgresPid, kafka: servers.kafkaPid },
  };
  try {
    await load(server.origin, key, WARM_UP_SECONDS);
    const before = cpuSeconds(pids);
    const loaded = await load(server.origin, key, seconds);
    return { ...loaded, cpu: perMillion(cpuBetween(before, cpuSeconds(pids)), loaded.count) };
  } finally {
    await server.end();
  }
}

function perMillion({ node, postgres, kafka }: CpuSeconds, reads: number): CpuSeconds {
  const of = (seconds: number) => (seconds * 1e6) / reads;
  return { node: of(node), postgres: of(postgres), kafka: of(kafka) };
}

async function load(origin: string, key: string, seconds: number) {
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
  return { count: took.length, perSecond: took.length / duration, p99Ms: quantile(took, 0.99) };
}
