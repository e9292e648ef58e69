/** Where something stands in an event's data: the names to follow from it, at least one. */
export type DataPath = readonly string[];

/** Which events feed a meter other than those named like it, and where in their data they say what. */
export interface Feed {
  readonly eventType: string;
  /** Where the quantity stands; null: each event counts 1. */
  readonly value: DataPath | null;
  /** By the name of the dimension. */
  readonly dimensions: ReadonlyMap<string, DataPath>;
}

const PATH = /^\$(?:\.[\p{L}\p{N}_-]+)+$/u;

/** `$.usage.tokens`; null for anything else, the rest of JSONPath included. */
export function parsePath(text: string): DataPath | null {
  return PATH.test(text) ? text.slice(2).split(".") : null;
}

export function pathText(path: DataPath): string {
  return `$.${path.join(".")}`;
}

/** True when two versions of a meter are fed the same; undefined: by the events named like the meter. */
export function isSameFeed(a: Feed | undefined, b: Feed | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.eventType === b.eventType &&
    isSamePath(a.value, b.value) &&
    a.dimensions.size === b.dimensions.size &&
    [...a.dimensions].every(([name, path]) => isSamePath(path, b.dimensions.get(name) ?? null))
  );
}

function isSamePath(a: DataPath | null, b: DataPath | null): boolean {
  if (a === null || b === null) return a === b;
  return pathText(a) === pathText(b);
}
