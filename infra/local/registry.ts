import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { REGISTRY, REGISTRY_DATABASE } from "../postgres/create-roles.ts";
import { type Child, logSays, startChild } from "./child-process.ts";
import { createPart, type Part } from "./part.ts";

export interface RegistryOptions {
  readonly java: string;
  /** The folder of the runner jar. */
  readonly program: string;
  readonly dataDir: string;
  readonly port: number;
  readonly postgresPort: number;
  /** Of its role of Postgres. */
  readonly password: string;
  /** Of the JVM, besides its own. */
  readonly javaOptions?: readonly string[];
}

/** Apicurio, which stores schemas and their ids in Postgres. */
export function registryPart(options: RegistryOptions, say: (line: string) => void): Part {
  return createPart("registry", () => start(options), say);
}

/** The address of its Confluent-compatible API. */
export function registryUrl(port: number): string {
  return `http://127.0.0.1:${port}/apis/ccompat/v7`;
}

async function start(options: RegistryOptions): Promise<Child> {
  const folder = join(options.dataDir, "registry");
  await mkdir(folder, { recursive: true });
  return await startChild(
    {
      name: "registry",
      command: options.java,
      args: [
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xmx384m",
        "-XX:+ExitOnOutOfMemoryError",
        ...(options.javaOptions ?? []),
        `-Djava.io.tmpdir=${folder}`,
        '-Dquarkus.log.category."io.quarkus".level=INFO', // logs when it listens
        ...["-jar", await runnerJar(options.program)],
      ],
      env: {
        QUARKUS_HTTP_HOST: "127.0.0.1",
        QUARKUS_HTTP_PORT: String(options.port),
        APICURIO_STORAGE_KIND: "sql",
        APICURIO_STORAGE_SQL_KIND: "postgresql",
        APICURIO_DATASOURCE_URL: `jdbc:postgresql://127.0.0.1:${options.postgresPort}/${REGISTRY_DATABASE}`,
        APICURIO_DATASOURCE_USERNAME: REGISTRY,
        APICURIO_DATASOURCE_PASSWORD: options.password,
        // The default maximum of 100 is all connections that Postgres has.
        APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: "1",
        APICURIO_DATASOURCE_JDBC_MIN_SIZE: "1",
        APICURIO_DATASOURCE_JDBC_MAX_SIZE: "8",
        // Detects dead connections after a restart of Postgres.
        QUARKUS_DATASOURCE_POSTGRESQL_JDBC_FOREGROUND_VALIDATION_INTERVAL: "PT0.1S",
      },
      dataDir: options.dataDir,
    },
    async (log) => (await logSays(log, "Listening on: ")) && (await answers(options.port)),
    90_000,
  );
}

async function answers(port: number): Promise<boolean> {
  try {
    const subjects = await fetch(`${registryUrl(port)}/subjects`, {
      signal: AbortSignal.timeout(2_000),
    });
    await subjects.body?.cancel();
    return subjects.ok;
  } catch {
    return false;
  }
}

async function runnerJar(program: string): Promise<string> {
  const jar = (await readdir(program)).find((file) => file.endsWith("-runner.jar"));
  if (jar === undefined) {
    throw new Error(`${program} contains no registry: delete that folder and start again.`);
  }
  return join(program, jar);
}
