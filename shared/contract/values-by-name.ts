import { z } from "zod";

/** What zod's records leave out without a word. Over Kafka it is the name of a dimension or meter like any other. */
const LOST = "__proto__";

type ByName<Value extends z.core.$ZodType> = z.ZodRecord<z.ZodString, Value>;

/** Values by names that come from outside: a record that keeps every name, `__proto__` too. */
export function valuesByName<Value extends z.core.$ZodType>(
  value: Value,
  { name = z.string(), ...params }: { readonly name?: z.ZodString } & z.core.$ZodRecordParams = {},
): ByName<Value> {
  const def = { ...z.core.util.normalizeParams(params), type: "record", keyType: name } as const;
  return new Whole({ ...def, valueType: value }) as ByName<Value>;
}

const Whole: z.core.$constructor<z.ZodRecord> = z.core.$constructor("WholeRecord", (inst, def) => {
  z.ZodRecord.init(inst, def);
  const parseOthers = inst._zod.parse;
  inst._zod.parse = (payload, context) => {
    const given: unknown = payload.value;
    const others = parseOthers(payload, context);
    if (typeof given !== "object" || given === null || !Object.hasOwn(given, LOST)) return others;
    if (others instanceof Promise) throw new z.core.$ZodAsyncError();
    // It is no object of values.
    if (others.value === given) return others;
    const field = { value: Reflect.get(given, LOST), issues: [] };
    const result = def.valueType._zod.run(field, context);
    if (result instanceof Promise) throw new z.core.$ZodAsyncError();
    others.issues.push(...z.core.util.prefixIssues(LOST, result.issues));
    // An assignment would set the prototype.
    const own = { value: result.value, enumerable: true, writable: true, configurable: true };
    Object.defineProperty(others.value, LOST, own);
    return others;
  };
});
