import { isDeepStrictEqual } from "node:util";

type Document = { readonly paths?: object; readonly components?: object };

/**
 * The document with each titled object once, as a component named by its title: `Lot page` becomes
 * `#/components/schemas/LotPage`. Generated clients name their types so. Throws if a title has two meanings.
 */
export function nameComponents<D extends Document>(document: D): D {
  const schemas = new Map<string, object>();

  const named = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(named);
    if (typeof part !== "object" || part === null) return part;
    const schema = Object.fromEntries(
      Object.entries(part).map(([field, value]) => [field, named(value)]),
    );
    const { type, title } = schema;
    if (type !== "object" || typeof title !== "string") return schema;
    const name = nameOf(title);
    if (!isDeepStrictEqual(schemas.get(name) ?? schema, schema)) {
      throw new Error(`two schemas of the API are titled ${title}`);
    }
    schemas.set(name, schema);
    return { $ref: `#/components/schemas/${name}` };
  };

  const paths = named(document.paths);
  const inOrder = Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, paths, components: { ...document.components, schemas: inOrder } };
}

function nameOf(title: string): string {
  const words = title.split(/[^A-Za-z]+/);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
