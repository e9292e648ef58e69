import { openWay, type Way } from "./way.ts";

/** The ways of one process to the servers. */
export interface Ways {
  readonly postgres: Way;
  readonly kafka: Way;
  readonly registry: Way;
  readonly gateway: Way;
}

export type WayName = keyof Ways;

/** Where the servers are; known once they have started. */
export type Places = { [name in WayName]: number };

/** `listener`: the port of the broker's listener for this process, which advertises its proxy. */
export async function openWays(places: () => Places, listener: number): Promise<Ways> {
  return {
    postgres: await openWay(() => places().postgres),
    kafka: await openWay(() => listener),
    registry: await openWay(() => places().registry),
    gateway: await openWay(() => places().gateway),
  };
}

export async function closeWays(ways: Ways): Promise<void> {
  await Promise.all([ways.postgres, ways.kafka, ways.registry, ways.gateway].map((w) => w.close()));
}
