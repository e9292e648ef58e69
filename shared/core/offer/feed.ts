/** The path to a value in an event's data: the names to follow, at least one. */
export type DataPath = readonly string[];

/** Which events feed a meter, other than those named like it, and where in their data the values are. */
export interface Feed {
  readonly eventType: string;
  /** The path to the quantity; null: each event counts 1. */
  readonly value: DataPath | null;
  /** By the name of the dimension. */
  readonly dimensions: ReadonlyMap<string, DataPath>;
}

const PATH = /^\$(?:\.[\p{L}\p{N}_-]+)+$/u;

/** Parses a path like `$.usage.tokens`; null: anything else, including the rest of JSONPath. */
export function parsePath(text: string): DataPath | null {
  return PATH.test(text) ? text.slice(2).split(".") : null;
}

/** A path as the catalogue file writes it: what `parsePath` reads. */
export function pathText(path: DataPath): string {
  return `$.${path.join(".")}`;
}

/** True when two versions of a meter have the same feed; undefined: the events named like the meter. */
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
