import { type DataPath, type Feed, parsePath, pathText } from "../../core/offer/feed.ts";

/** The columns of a feed in `rate`: the event type, and the paths of the value and of the dimensions. */
export interface FeedColumns {
  readonly fedBy: string | null;
  readonly valuePath: string | null;
  readonly dimensionPaths: Readonly<Record<string, string>> | null;
}

/** The columns as they are written: dimensions as JSON text. */
export function feedToColumns(feed: Feed | undefined): {
  readonly [column in keyof FeedColumns]: string | null;
} {
  if (feed === undefined) return { fedBy: null, valuePath: null, dimensionPaths: null };
  const dimensions = [...feed.dimensions].map(([name, path]) => [name, pathText(path)]);
  return {
    fedBy: feed.eventType,
    valuePath: feed.value && pathText(feed.value),
    dimensionPaths: JSON.stringify(Object.fromEntries(dimensions)),
  };
}

/** Null: the meter is fed by the events named like it. */
export function feedOfColumns({ fedBy, valuePath, dimensionPaths }: FeedColumns): Feed | null {
  if (fedBy === null) return null;
  const dimensions = Object.entries(dimensionPaths ?? {}).map(
    ([name, path]): [string, DataPath] => [name, stored(path)],
  );
  return {
    eventType: fedBy,
    value: valuePath === null ? null : stored(valuePath),
    dimensions: new Map(dimensions),
  };
}

function stored(text: string): DataPath {
  const path = parsePath(text);
  if (path === null) throw new Error(`rate holds ${text}, which is not a path`);
  return path;
}
