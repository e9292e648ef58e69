import { type DataPath, type Feed, parsePath, pathText } from "../../core/offer/feed.ts";

/** What `rate` keeps of a feed: the event type, where the value stands, where the dimensions do. */
export type FeedColumns = [
  fedBy: string | null,
  valuePath: string | null,
  dimensionPaths: Readonly<Record<string, string>> | null,
];

/** The columns for `jsonb` and arrays of them: dimensions as JSON text. */
export function feedToColumns(
  feed: Feed | undefined,
): [fedBy: string | null, valuePath: string | null, dimensionPaths: string | null] {
  if (feed === undefined) return [null, null, null];
  const dimensions = [...feed.dimensions].map(([name, path]) => [name, pathText(path)]);
  return [
    feed.eventType,
    feed.value === null ? null : pathText(feed.value),
    JSON.stringify(Object.fromEntries(dimensions)),
  ];
}

/** Null: the meter is fed by the events named like it. */
export function feedOfColumns([fedBy, valuePath, dimensionPaths]: FeedColumns): Feed | null {
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
  if (path === null) throw new Error(`rate holds ${text}, which is no path`);
  return path;
}
