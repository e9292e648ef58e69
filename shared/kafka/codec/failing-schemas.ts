import { type Registry, RegistryUnavailable } from "./registry.ts";

/** The registry fails for this schema, though it answers otherwise. Not long enough yet to judge it. */
export class SchemaFailing extends RegistryUnavailable {}

/** The registry has failed for this schema long enough, though it answers otherwise: no outage. */
export class SchemaUnserved extends Error {}

interface Failing {
  /** By `performance.now()`, as the other times are. */
  readonly since: number;
  /** When it was judged; null: not yet. */
  readonly judged: { readonly at: number; readonly error: SchemaUnserved } | null;
}

const MOST_FAILING = 20_000;
const HIGHEST_ID = 2 ** 31 - 1;

/**
 * Asks for schemas with `schemaOf`. One for which the registry fails throws SchemaFailing while the
 * registry answers otherwise, and SchemaUnserved once that has lasted for `patienceMs`; then the registry
 * is asked for it again after as long at the earliest. While the registry answers nothing, each throws
 * RegistryUnavailable, and the time begins anew.
 */
export function judgeFailingSchemas(
  schemaOf: Registry["schemaOf"],
  patienceMs: number,
): Registry["schemaOf"] {
  const failing = new Map<number, Failing>();

  return async (id) => {
    const judged = failing.get(id)?.judged ?? null;
    if (judged !== null && performance.now() < judged.at + patienceMs) throw judged.error;
    try {
      const type = await schemaOf(id);
      failing.delete(id);
      return type;
    } catch (error) {
      if (!(error instanceof RegistryUnavailable)) failing.delete(id);
      else if (await answersOtherwise(id)) throw judge(id, error);
      else failing.clear();
      throw error;
    }
  };

  /** Asks for a schema that nobody has: only the registry's store can say so. */
  async function answersOtherwise(id: number): Promise<boolean> {
    return schemaOf(id === HIGHEST_ID ? HIGHEST_ID - 1 : HIGHEST_ID).then(
      () => true,
      (error) => !(error instanceof RegistryUnavailable),
    );
  }

  function judge(id: number, cause: RegistryUnavailable): Error {
    const now = performance.now();
    const since = failing.get(id)?.since ?? now;
    const detail = `${cause.message}, though it answers otherwise`;
    if (now < since + patienceMs) {
      keep(id, { since, judged: null });
      return new SchemaFailing(detail, { cause });
    }
    const error = new SchemaUnserved(`schema ${id} cannot be loaded: ${detail}`, { cause });
    keep(id, { since, judged: { at: now, error } });
    return error;
  }

  function keep(id: number, state: Failing): void {
    const oldest = failing.keys().next().value;
    if (failing.size >= MOST_FAILING && oldest !== undefined) failing.delete(oldest);
    failing.set(id, state);
  }
}
