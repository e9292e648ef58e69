import type { Stage } from "../stage/stage.ts";
import type { Weather } from "../stage/way.ts";
import type { WayName } from "../stage/ways.ts";
import { type Kind, nothingToEnd } from "./kind.ts";

const SILENT = "connections that go silent are noticed only after minutes";
const ALL = ["metering", "top-up", "scheduler", "api"];

/** What happens on the ways between services and servers. */
export const WAY_FAULTS: readonly Kind[] = [
  weather("Postgres answers slowly", "postgres", { kind: "slow", ms: 100 }, [5, 10]),
  weather("Postgres stands still", "postgres", { kind: "stalled" }, [4, 8]),
  resets("connections to Postgres are reset", "postgres"),
  swallows("connections to Postgres go silent", "postgres"),
  {
    name: "a commit's answer never comes",
    about: "member",
    services: ["metering", "top-up", "scheduler"],
    lasts: [3, 6],
    backWithin: 45,
    awaits: SILENT,
    async begin(_, { ways }) {
      void ways.postgres.swallowAtCommit();
      return nothingToEnd;
    },
  },
  weather("Kafka answers slowly", "kafka", { kind: "slow", ms: 100 }, [5, 10]),
  weather("Kafka stands still", "kafka", { kind: "stalled" }, [4, 14]),
  resets("connections to Kafka are reset", "kafka"),
  swallows("connections to Kafka go silent", "kafka"),
  weather("the registry answers slowly", "registry", { kind: "slow", ms: 2_000 }, [5, 10]),
  weather("the registry refuses", "registry", { kind: "refused" }, [5, 10]),
  weather("the gateway answers slowly", "gateway", { kind: "slow", ms: 3_000 }, [5, 10]),
  weather("the gateway refuses", "gateway", { kind: "refused" }, [5, 10]),
  weather("the gateway does not answer", "gateway", { kind: "stalled" }, [8, 12]),
  resets("connections to the gateway are reset", "gateway"),
  swallows("the gateway charges and never answers", "gateway"),
  {
    name: "webhooks are lost",
    about: "gateway",
    lasts: [10, 15],
    backWithin: 30,
    async begin({ webhooks }) {
      webhooks.setWeather({ kind: "refused" });
      return async () => webhooks.setWeather({ kind: "clear" });
    },
  },
];

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
    ...{ name, about: "member", services: ALL, lasts: [0, 0], backWithin: 30, awaits: SILENT },
    async begin(_, { ways }) {
      ways[way].swallow();
      return nothingToEnd;
    },
  };
}
