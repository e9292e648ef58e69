import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type StackOptions, startStack } from "../../../infra/local/stack.ts";
import { ownPorts } from "./ports.ts";

/** Compiles less: a test run's broker ends before optimized code pays off. */
const QUICK = "-XX:TieredStopAtLevel=1";
const PARTS = resolve(import.meta.dirname, "../../../.local/parts");
/** Archives of loaded classes. A JVM ignores one that was made by another Java or of other jars. */
const KAFKA = join(PARTS, "kafka.jsa");
const REGISTRY = join(PARTS, "registry.jsa");

/** Options of the servers' JVMs. From its archive Kafka starts in 60 % of the CPU time, the registry in half. */
export function quickJava(): Required<Pick<StackOptions, "kafkaJava" | "registryJava">> {
  return { kafkaJava: [QUICK, ...from(KAFKA)], registryJava: from(REGISTRY) };
}

/** Makes the archives, once, by servers that start and stop. */
export async function archiveClasses(dataDir: string): Promise<void> {
  if (existsSync(KAFKA) && existsSync(REGISTRY)) return;
  const stack = await startStack({
    ...{ dataDir, ports: ownPorts(0), say: () => undefined },
    ...{ kafkaJava: [QUICK, into(KAFKA)], registryJava: [into(REGISTRY)] },
  });
  await stack.stop();
  for (const archive of [KAFKA, REGISTRY]) {
    // On a busy machine a JVM may have been ended before it wrote its archive.
    if (existsSync(unfinished(archive))) await rename(unfinished(archive), archive);
  }
}

/** Without an archive the option would cost those that Java brings. */
function from(archive: string): string[] {
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
}

function into(archive: string): string {
  return `-XX:ArchiveClassesAtExit=${unfinished(archive)}`;
}

function unfinished(archive: string): string {
  return `${archive}.partial-${process.pid}`;
}
