import { setTimeout as sleep } from "node:timers/promises";
import type avro from "avsc";
import { type Registry, RegistryUnavailable } from "../../../shared/kafka/codec/registry.ts";
import type { TopicSchema } from "../../../shared/kafka/codec/schemas.ts";
import { writerType } from "../../../shared/kafka/codec/writer-schema.ts";

/** A registry without a server. */
export class RegistryInProcess implements Registry {
  /** How often a schema was asked for. */
  asked = 0;
  /** While set, every question fails with it. */
  failure: Error | null = null;
  /** Once so many schemas were asked for, every further question fails. */
  failAfter: number | null = null;
  answerMs = 0;
  /** The most questions that waited for their answer at a time. */
  mostAtOnce = 0;
  #waiting = 0;
  readonly #texts: string[] = [];

  /** Adds a schema as some other service would have registered it, and gives its id. */
  add(schema: unknown): number {
    const text = typeof schema === "string" ? schema : JSON.stringify(schema);
    if (!this.#texts.includes(text)) this.#texts.push(text);
    return this.#texts.indexOf(text) + 1;
  }

  async register({ text }: TopicSchema): Promise<number> {
    if (this.failure !== null) throw this.failure;
    return this.add(text);
  }

  async schemaOf(id: number): Promise<avro.Type | null> {
    this.asked += 1;
    if (this.failAfter !== null && this.asked > this.failAfter)
      throw new RegistryUnavailable("down");
    this.#waiting += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#waiting);
    if (this.answerMs > 0) await sleep(this.answerMs);
    this.#waiting -= 1;
    if (this.failure !== null) throw this.failure;
    const text = this.#texts[id - 1];
    return text === undefined ? null : writerType(text);
  }
}
