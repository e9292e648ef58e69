import avro from "avsc";
import { NO_QUANTITIES, type Quantities } from "../../core/usage/event-lines.ts";
import { instantUnitOf, typeHook } from "./schemas.ts";

/** The fields of a usage event as they are read. */
export interface UsageFields {
  readonly event_id: string;
  readonly account_id: string;
  readonly meter: string;
  readonly quantity: bigint;
  readonly occurred_at: number;
  readonly source: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly quantities: Quantities;
  readonly hold_id: string | null;
}

/** Reads usage that was written with another schema. Errors say what the producer has to change. */
export interface ForeignUsage {
  readonly resolver: avro.Resolver;
  toFields(read: unknown): UsageFields;
}

/** What is wrong with an instant that no number represents exactly. */
export const NO_INSTANT =
  "occurred_at is no instant: it is beyond 2^53 milliseconds from 1970; write milliseconds since 1970";

type ReadField<T> = (value: unknown) => T;

/**
 * A reader of usage written with a schema: a record named as ours in any namespace, whose fields can be
 * converted without a guess. Other fields are skipped. Throws for any other schema.
 */
export function readForeignUsage(writer: avro.Type): ForeignUsage {
  if (!(writer instanceof avro.types.RecordType)) throw new Error("it is no record");
  const name = writer.name ?? "";
  if (name.slice(name.lastIndexOf(".") + 1) !== "UsageEvent") {
    throw new Error(`its record is called ${name}; call it UsageEvent`);
  }
  const types = new Map(writer.fields.map((field) => [field.name, field.type]));
  const field = <T>(of: string, make: Make<T>, otherwise?: T): ReadField<T> => {
    const type = types.get(of);
    if (type !== undefined) return nullable(of, type, make, otherwise);
    if (otherwise === undefined) throw new Error(`it has no field ${of}`);
    return () => otherwise;
  };
  const read = {
    event_id: field("event_id", textOf),
    account_id: field("account_id", textOf),
    meter: field("meter", textOf),
    quantity: field("quantity", wholeOf),
    occurred_at: field("occurred_at", instantOf),
    source: field("source", textOf, ""),
    dimensions: field("dimensions", textsOf, {}),
    quantities: field("quantities", wholesOf, NO_QUANTITIES),
    hold_id: field<string | null>("hold_id", textOf, null),
  };
  const fields = Object.keys(read).flatMap((of) => {
    const type = types.get(of);
    return type === undefined ? [] : [{ name: of, type }];
  });
  // The types of the fields stand for their schemas.
  const schema = { type: "record", name, fields } as unknown as avro.Schema;
  const pruned = avro.Type.forSchema(schema, { typeHook });
  return {
    resolver: pruned.createResolver(writer),
    toFields(value) {
      const given = value as Readonly<Record<string, unknown>>;
      return {
        event_id: read.event_id(given["event_id"]),
        account_id: read.account_id(given["account_id"]),
        meter: read.meter(given["meter"]),
        quantity: read.quantity(given["quantity"]),
        occurred_at: read.occurred_at(given["occurred_at"]),
        source: read.source(given["source"]),
        dimensions: read.dimensions(given["dimensions"]),
        quantities: read.quantities(given["quantities"]),
        hold_id: read.hold_id(given["hold_id"]),
      };
    },
  };
}

/** How a field of a type is read; throws where it would take a guess. */
type Make<T> = (name: string, type: avro.Type) => ReadField<T>;

/** A null where our schema has a default is the default; anywhere else the event is refused. */
function nullable<T>(name: string, type: avro.Type, make: Make<T>, otherwise?: T): ReadField<T> {
  const isNull = (one: avro.Type) => one instanceof avro.types.NullType;
  const [branch, another] = branchesOf(type).filter((one) => !isNull(one));
  if (branch === undefined) throw new Error(`its field ${name} is always null`);
  if (another !== undefined) throw new Error(`its field ${name} is of several types; write one`);
  const read = make(name, branch);
  const isWrapped = type instanceof avro.types.WrappedUnionType;
  return (value) => {
    if (value === null || value === undefined) {
      if (otherwise !== undefined) return otherwise;
      throw new Error(`${name} is null; it needs a value`);
    }
    return read(isWrapped ? Object.values(value)[0] : value);
  };
}

function branchesOf(type: avro.Type): readonly avro.Type[] {
  const isUnion =
    type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType;
  return isUnion ? type.types : [type];
}

function textOf(name: string, type: avro.Type): ReadField<string> {
  const isText =
    type instanceof avro.types.StringType ||
    type instanceof avro.types.EnumType ||
    type instanceof avro.types.BytesType;
  if (!isText) throw wrongType(name, type, "a string");
  return (value) => (Buffer.isBuffer(value) ? value.toString() : String(value));
}

function wholeOf(name: string, type: avro.Type): ReadField<bigint> {
  if (!isWhole(type)) throw wrongType(name, type, "a long");
  return (value) => (typeof value === "bigint" ? value : BigInt(Number(value)));
}

function instantOf(name: string, type: avro.Type): ReadField<number> {
  const unit = isWhole(type) ? instantUnitOf(type) : null;
  if (unit === null) throw wrongType(name, type, "timestamp-millis");
  return (value) => {
    const given = typeof value === "bigint" ? value : BigInt(Number(value));
    if (given % unit !== 0n) {
      throw new Error(`${name} has a part of a millisecond; write timestamp-millis, or whole ones`);
    }
    const millis = Number(given / unit);
    if (!Number.isSafeInteger(millis)) throw new Error(NO_INSTANT);
    return millis;
  };
}

function textsOf(name: string, type: avro.Type): ReadField<Readonly<Record<string, string>>> {
  return mapOf(name, type, textOf, { of: "strings", each: "dimension" });
}

function wholesOf(name: string, type: avro.Type): ReadField<Quantities> {
  return mapOf(name, type, wholeOf, { of: "longs", each: "quantity of" });
}

function mapOf<T>(
  name: string,
  type: avro.Type,
  make: Make<T>,
  words: { readonly of: string; readonly each: string },
): ReadField<Readonly<Record<string, T>>> {
  if (!(type instanceof avro.types.MapType)) throw wrongType(name, type, `a map of ${words.of}`);
  const read = nullable(`${name} values`, type.valuesType, make);
  return (value) =>
    Object.fromEntries(
      Object.entries(value as Readonly<Record<string, unknown>>).map(([key, each]) => {
        if (each === null) throw new Error(`${words.each} ${key} is null; leave it out`);
        return [key, read(each)];
      }),
    );
}

function isWhole(type: avro.Type): boolean {
  return type instanceof avro.types.IntType || type instanceof avro.types.LongType;
}

function wrongType(name: string, type: avro.Type, wanted: string): Error {
  const is = type instanceof avro.types.LongType ? "of another logical type" : type.typeName;
  return new Error(`its field ${name} is ${is}; write ${wanted}`);
}
