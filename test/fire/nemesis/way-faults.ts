import { once } from "node:events";
import type { Member } from "../stage/member.ts";
import type { Stage } from "../stage/stage.ts";
import type { Fate, Weather } from "../stage/way.ts";
import type { WayName } from "../stage/ways.ts";
import { type Count, type Kind, nothingToEnd } from "./kind.ts";

const LONGEST_WAIT_MS = 30_000;
/** Those that commit all the time. */
const COMMITTERS = ["metering", "top-up"];
const ALL = ["metering", "top-up", "scheduler", "api"];

const FAILED: Weather = {
  kind: "answered",
  text: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
};

/** What happens on the ways between services and servers. */
export const WAY_FAULTS: readonly Kind[] = [
  weather("Postgres answers slowly", "postgres", { kind: "slow", ms: 100 }, [5, 10]),
  weather("Postgres stands still", "postgres", { kind: "stalled" }, [4, 8]),
  resets("connections to Postgres are reset", "postgres"),
  swallows("connections to Postgres go silent", "postgres"),
  {
    name: "a commit's answer never comes",
    about: "member",
    services: COMMITTERS,
    lasts: [3, 6],
    backWithin: 45,
    counts: "commits unanswered",
    begin: (_, member, count) => atCommit(member, "goes silent", count),
  },
  {
    name: "a connection is reset in a commit",
    about: "member",
    services: COMMITTERS,
    lasts: [3, 6],
    backWithin: 30,
    counts: "commits unanswered",
    begin: (_, member, count) => atCommit(member, "is reset", count),
  },
  weather("Kafka answers slowly", "kafka", { kind: "slow", ms: 100 }, [5, 10]),
  weather("Kafka stands still", "kafka", { kind: "stalled" }, [4, 14]),
  resets("connections to Kafka are reset", "kafka"),
  swallows("connections to Kafka go silent", "kafka"),
  weather("the registry answers slowly", "registry", { kind: "slow", ms: 2_000 }, [5, 10]),
  weather("the registry refuses", "registry", { kind: "refused" }, [5, 10]),
  weather("the registry fails", "registry", FAILED, [5, 10]),
  weather("the gateway answers slowly", "gateway", { kind: "slow", ms: 3_000 }, [5, 10]),
  weather("the gateway refuses", "gateway", { kind: "refused" }, [5, 10]),
  weather("the gateway fails", "gateway", FAILED, [5, 10]),
  weather("the gateway does not answer", "gateway", { kind: "stalled" }, [8, 12]),
  resets("connections to the gateway are reset", "gateway"),
  swallows("the gateway charges and never answers", "gateway"),
];

/** The COMMIT reaches Postgres, its answer reaches nobody. A service that has no connection commits once it has one. */
async function atCommit({ ways }: Member, fate: Fate, count: Count): Promise<() => Promise<void>> {
  const { seen, forget } = ways.postgres.watch("COMMIT", fate);
  void seen.then(() => count(1));
  return async () => {
    const tooLong = AbortSignal.timeout(LONGEST_WAIT_MS);
    await Promise.race([seen, once(tooLong, "abort")]);
    forget();
  };
}

function weather(name: string, way: WayName, during: Weather, lasts: Kind["lasts"]): Kind {
  return {
    ...{ name, about: way, lasts, backWithin: 30 },
    async begin(stage) {
      set(stage, way, during);
      return async () => set(stage, way, { kind: "clear" });
    },
  };
}

function set({ members }: Stage, way: WayName, weather: Weather): void {
  for (const { ways } of members) ways[way].setWeather(weather);
}

function resets(name: string, way: WayName): Kind {
  return {
    ...{ name, about: way, lasts: [0, 0], backWithin: 30 },
    async begin({ members }) {
      for (const { ways } of members) ways[way].reset();
      return nothingToEnd;
    },
  };
}

/** The connections of one process, or of all of them to the gateway. */
function swallows(name: string, way: WayName): Kind {
  if (way === "gateway") {
    return {
      ...{ name, about: way, lasts: [0, 0], backWithin: 45 },
      async begin({ members }) {
        for (const { ways } of members) ways.gateway.swallow();
        return nothingToEnd;
      },
    };
  }
  return {
    ...{ name, about: "member", services: ALL, lasts: [0, 0], backWithin: 30 },
    async begin(_, { ways }) {
      ways[way].swallow();
      return nothingToEnd;
    },
  };
}
