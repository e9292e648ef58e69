import fc from "fast-check";

export type Value =
  | null
  | boolean
  | number
  | string
  | readonly Value[]
  | { readonly [name: string]: Value };

/** JSON of a valid value in which one to three parts are other values, missing, or there besides. */
export function mutantJsonOf(valid: fc.Arbitrary<Value>): fc.Arbitrary<string> {
  return fc
    .tuple(valid, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) => JSON.stringify(changes.reduce(changed, value)));
}

const HOSTILE: readonly Value[] = [
  ...[null, true, -1, 0, 1.5, 1e21, 2 ** 31, 2 ** 53, 8_640_000_000_000_001, -0.5],
  ...["", " ", "\0", "\ud800", "\ufffd", "x".repeat(2_000), "9".repeat(19), "9".repeat(400), "-1"],
  ...[
    "1e3",
    "0x10",
    "null",
    "__proto__",
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
    "..",
    "a/b",
  ],
  ...[[], {}, [[]], [null], { a: { b: 1 } }],
];

const change = fc.record({
  at: fc.nat(1_000),
  by: fc.oneof(
    { arbitrary: fc.constantFrom(...HOSTILE).map((value) => () => value), weight: 5 },
    fc.constant((part: Value): Value => [part]),
    fc.constant((part: Value): Value => JSON.stringify(part)),
    fc.tuple(fc.constantFrom("a", "__proto__", "toString", ""), fc.constantFrom(...HOSTILE)).map(
      ([name, value]) =>
        (part: Value): Value =>
          isFields(part) ? Object.fromEntries([...Object.entries(part), [name, value]]) : part,
    ),
    fc.nat(20).map(
      (index) =>
        (part: Value): Value =>
          isFields(part)
            ? Object.fromEntries(Object.entries(part).filter((_, at) => at !== index))
            : part,
    ),
  ),
});

/** The parts of a value are numbered as they are written. */
function changed(whole: Value, { at, by }: { at: number; by: (part: Value) => Value }): Value {
  let left = at % countOf(whole);
  return visit(whole);

  function visit(part: Value): Value {
    if (left === 0) {
      left -= 1;
      return by(part);
    }
    left -= 1;
    if (isList(part)) return part.map(visit);
    if (!isFields(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, visit(inner)]));
  }
}

function countOf(part: Value): number {
  const inner = typeof part === "object" && part !== null ? Object.values<Value>(part) : [];
  return inner.reduce<number>((sum, each) => sum + countOf(each), 1);
}

function isList(part: Value): part is readonly Value[] {
  return Array.isArray(part);
}

function isFields(part: Value): part is { readonly [name: string]: Value } {
  return typeof part === "object" && part !== null && !Array.isArray(part);
}
