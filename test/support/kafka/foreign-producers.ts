import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { findJava } from "../../../infra/local/find-java.ts";
import { examplePackages, installPython } from "../python.ts";

const run = promisify(execFile);
const PROGRAMS = join(import.meta.dirname, "producers");
const PARTS = resolve(import.meta.dirname, "../../../.local/parts");

/** Publishes `<codec>-0` and so on to partition 0, with each codec a batch. */
export type ForeignProducer = (
  topic: string,
  count: number,
  codecs: readonly string[],
) => Promise<unknown>;

/** Null: Python is not here. */
export async function librdkafka(): Promise<ForeignProducer | null> {
  const python = await installPython("python-producer", await examplePackages());
  if (python === null) return null;
  return (topic, count, codecs) =>
    run(python, [join(PROGRAMS, "produce.py"), ...options(topic, count, codecs)]);
}

/** Null: a Java that compiles, or Kafka's jars, are not here. */
export async function javaClient(): Promise<ForeignProducer | null> {
  const java = await findJava(process.env).catch(() => null);
  const parts = await readdir(PARTS).catch(() => []);
  const kafka = parts.find((name) => name.startsWith("kafka-"));
  if (java === null || kafka === undefined) return null;
  const { stdout } = await run(java, ["--list-modules"]);
  if (!stdout.includes("jdk.compiler@")) return null;
  const jars = join(PARTS, kafka, "*");
  return (topic, count, codecs) =>
    run(java, ["-cp", jars, join(PROGRAMS, "Produce.java"), ...options(topic, count, codecs)]);
}

function options(topic: string, count: number, codecs: readonly string[]): string[] {
  return [process.env["KAFKA_BROKERS"] ?? "", topic, String(count), ...codecs];
}
