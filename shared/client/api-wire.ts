/** How values come from the API: amounts as decimal text, instants in ISO 8601, names in snake_case. */
export interface Reader<T> {
  /** Throws an UnreadableAnswer that names the place where a value is not what it should be. */
  read(value: unknown, place: string): T;
  /** Of an object: the names on the wire, with how each is read. */
  readonly fields?: Fields;
  /** Of a list, and of what may be null: what is inside. */
  readonly inside?: Reader<unknown>;
}

export type Fields = Readonly<Record<string, Reader<unknown>>>;

/** The API answers otherwise than this client knows it to. */
export class UnreadableAnswer extends Error {}

/** What a reader gives. */
export type Read<R> = R extends Reader<infer T> ? T : never;

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

export const text: Reader<string> = { read: typed("string", "text") };
export const flag: Reader<boolean> = { read: typed("boolean", "true or false") };
export const number: Reader<number> = { read: typed("number", "a number") };

/** Credits, money and other numbers of any size. */
export const amount: Reader<bigint> = {
  read(value, place) {
    if (typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
    throw unlike(place, "a decimal amount");
  },
};

export const instant: Reader<Date> = {
  read(value, place) {
    const at = typeof value === "string" ? new Date(value) : new Date(Number.NaN);
    if (!Number.isNaN(at.getTime())) return at;
    throw unlike(place, "an instant");
  },
};

/** Names that the service chooses, with text each. */
export const texts: Reader<Readonly<Record<string, string>>> = {
  read: (value, place) =>
    Object.fromEntries(
      Object.entries(objectAt(value, place)).map(([name, one]) => [
        name,
        text.read(one, `${place}.${name}`),
      ]),
    ),
};

export function nullable<T>(inside: Reader<T>): Reader<T | null> {
  return { inside, read: (value, place) => (value === null ? null : inside.read(value, place)) };
}

export function listOf<T>(inside: Reader<T>): Reader<readonly T[]> {
  return {
    inside,
    read(value, place) {
      if (!Array.isArray(value)) throw unlike(place, "a list");
      return value.map((one, at) => inside.read(one, `${place}[${at}]`));
    },
  };
}

/** An object with these fields, and whatever else a newer server tells; its names in camelCase. */
export function record<F extends Fields>(
  fields: F,
): Reader<{ readonly [Name in keyof F & string as Camel<Name>]: Read<F[Name]> }> {
  const names = Object.entries(fields).map(
    ([name, reader]) => [name, camel(name), reader] as const,
  );
  return {
    fields,
    read(value, place) {
      const object = objectAt(value, place);
      const read = names.map(([name, ours, reader]) => [
        ours,
        reader.read(object[name], `${place}.${name}`),
      ]);
      return Object.fromEntries(read);
    },
  };
}

function camel(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function objectAt(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw unlike(place, "an object");
  return { ...value };
}

function typed<T extends "string" | "boolean" | "number">(type: T, what: string) {
  return (value: unknown, place: string) => {
    if (isOf(value, type)) return value;
    throw unlike(place, what);
  };
}

interface Types {
  string: string;
  boolean: boolean;
  number: number;
}

function isOf<T extends keyof Types>(value: unknown, type: T): value is Types[T] {
  return typeof value === type;
}

function unlike(place: string, what: string): UnreadableAnswer {
  return new UnreadableAnswer(`the API's answer holds something other than ${what} at ${place}`);
}
