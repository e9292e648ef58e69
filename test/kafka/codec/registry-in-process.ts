import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import avro from "avsc";
import { typeHook } from "../../../shared/kafka/codec/schemas.ts";

/** The real client, but for the two questions that the codec asks: they are answered here. */
export class RegistryInProcess extends SchemaRegistry {
  /** How often a schema was asked for. */
  asked = 0;
  /** While set, every question fails with it. */
  failure: Error | null = null;
  readonly #texts: string[] = [];

  constructor() {
    super({ host: "http://registry.invalid" });
  }

  /** Adds a schema as some other service would have registered it, and gives its id. */
  add(schema: unknown): number {
    const text = typeof schema === "string" ? schema : JSON.stringify(schema);
    if (!this.#texts.includes(text)) this.#texts.push(text);
    return this.#texts.indexOf(text) + 1;
  }

  override async register(
    schema: Parameters<SchemaRegistry["register"]>[0],
  ): Promise<{ id: number }> {
    if (this.failure !== null) throw this.failure;
    return { id: this.add("schema" in schema ? schema.schema : schema) };
  }

  override async getSchema(id: number): Promise<avro.Type> {
    this.asked += 1;
    if (this.failure !== null) throw this.failure;
    const text = this.#texts[id - 1];
    if (text === undefined) throw answerOf(404, "Schema not found");
    return avro.Type.forSchema(JSON.parse(text), { typeHook });
  }
}

/** The error of the real client when the registry answered with a status. It says 400 when nobody answered. */
export function answerOf(status: number, message: string): Error {
  return Object.assign(new Error(`Confluent_Schema_Registry - ${message}`), { status });
}
