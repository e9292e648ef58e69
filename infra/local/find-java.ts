import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const OLDEST_JAVA = 17;
const REMEDY = `Install Java ${OLDEST_JAVA} or newer (a JRE is enough) and put it on the PATH or into JAVA_HOME`;
const OTHERWISE =
  "or set DATABASE_URL, KAFKA_BROKERS and SCHEMA_REGISTRY_URL to servers that run already";

type Environment = Readonly<Record<string, string | undefined>>;

/** The path of a Java that can run Kafka and the registry. Throws an error that says what is missing. */
export async function findJava(environment: Environment): Promise<string> {
  const home = environment["JAVA_HOME"];
  const java = home ? join(home, "bin", "java") : "java";
  const output = await outputOf(java, "-version", environment);
  if (output === undefined) {
    const where = home ? `JAVA_HOME is ${home}, but ${java} does not run` : "Java is missing";
    throw new Error(`${where}. ${REMEDY}, ${OTHERWISE}.`);
  }
  const version = javaVersion(output);
  if (version === undefined) {
    throw new Error(`"${java} -version" shows no version: ${output.trim()}. ${REMEDY}.`);
  }
  if (version < OLDEST_JAVA) {
    throw new Error(`Java ${version} is too old for Kafka. ${REMEDY}, ${OTHERWISE}.`);
  }
  return java;
}

/** Maven is needed only to fetch parts. */
export async function findMaven(environment: Environment): Promise<string> {
  if ((await outputOf("mvn", "-version", environment)) === undefined) {
    throw new Error(
      `Maven is missing; it fetches Kafka and the schema registry, once. Install Maven and put mvn on the PATH, ${OTHERWISE}.`,
    );
  }
  return "mvn";
}

/** 17 of `openjdk version "17.0.15"`, 8 of `java version "1.8.0_392"`. */
export function javaVersion(output: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? [];
  if (first === undefined) return undefined;
  return first === "1" && second !== undefined ? Number(second) : Number(first);
}

async function outputOf(
  command: string,
  argument: string,
  environment: Environment,
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(command, [argument], { env: { ...environment } });
    return stdout + stderr;
  } catch {
    return undefined;
  }
}
