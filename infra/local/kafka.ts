import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, logSays, runToEnd, startChild } from "./child-process.ts";
import { createPart, type Part } from "./part.ts";

/** The login of the services, who may do everything, at a port of their own. */
export interface KafkaGuard {
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** A listener for clients behind a proxy, whose port the broker advertises to them. */
export interface ProxiedListener {
  readonly port: number;
  readonly advertisedPort: number;
}

export interface KafkaOptions {
  readonly java: string;
  /** The folder of Kafka's jars. */
  readonly jars: string;
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  /** Guards the broker: `port` is then for guests, who may do what set-up allows them. */
  readonly guard?: KafkaGuard | undefined;
  /** Only of a broker without guard. */
  readonly proxiedListeners?: readonly ProxiedListener[] | undefined;
  /** Of the JVM, besides its own. */
  readonly javaOptions?: readonly string[];
}

export function kafkaPart(options: KafkaOptions, say: (line: string) => void): Part {
  return createPart("kafka", () => start(options), say);
}

async function start(options: KafkaOptions): Promise<Child> {
  const folder = join(options.dataDir, "kafka");
  const properties = join(folder, "server.properties");
  await mkdir(folder, { recursive: true });
  // The file may hold a password.
  await writeFile(properties, serverProperties(options, join(folder, "log")), { mode: 0o600 });
  // Formatting writes this file last.
  const isFormatted = existsSync(join(folder, "log", "meta.properties"));
  if (!isFormatted) await format(options, folder, properties);
  return await startChild(
    {
      name: "kafka",
      command: options.java,
      args: [
        "-XX:+UseSerialGC",
        "-Xms256m",
        "-Xmx512m",
        "-XX:+ExitOnOutOfMemoryError",
        ...(options.javaOptions ?? []),
        ...javaOptions(options, folder),
        "kafka.Kafka",
        properties,
      ],
      dataDir: options.dataDir,
    },
    (log) => logSays(log, "Kafka Server started"),
    90_000,
  );
}

/** One process is broker and controller, without replicas. */
function serverProperties(options: KafkaOptions, logDir: string): string {
  const { guard } = options;
  const lines = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${options.controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    ...(guard === undefined ? openListeners(options) : guardedListeners(options, guard)),
    "log.dirs": logDir,
    "auto.create.topics.enable": false,
    "group.initial.rebalance.delay.ms": 0,
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 4,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024, // its default is a quarter of the heap
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function openListeners({ port, controllerPort, proxiedListeners = [] }: KafkaOptions) {
  const open = [
    { name: "PLAINTEXT", port, advertisedPort: port },
    ...proxiedListeners.map((one, index) => ({ ...one, name: `PROXIED${index + 1}` })),
  ];
  const listeners = open.map((one) => `${one.name}://127.0.0.1:${one.port}`);
  const names = [...open.map(({ name }) => name), "CONTROLLER"];
  return {
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": names.map((name) => `${name}:PLAINTEXT`).join(","),
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${controllerPort}`].join(","),
    "advertised.listeners": open
      .map(({ name, advertisedPort }) => `${name}://127.0.0.1:${advertisedPort}`)
      .join(","),
  };
}

function guardedListeners({ port, controllerPort }: KafkaOptions, guard: KafkaGuard) {
  const { username, password } = guard;
  const login =
    "org.apache.kafka.common.security.plain.PlainLoginModule required " +
    `username="${username}" password="${password}" user_${username}="${password}";`;
  const forClients = `GUESTS://127.0.0.1:${port},SERVICES://127.0.0.1:${guard.port}`;
  return {
    "inter.broker.listener.name": "SERVICES",
    "listener.security.protocol.map":
      "GUESTS:PLAINTEXT,SERVICES:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
    listeners: `${forClients},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": forClients,
    "sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "sasl.mechanism.controller.protocol": "PLAIN",
    "listener.name.services.plain.sasl.jaas.config": login,
    "listener.name.controller.plain.sasl.jaas.config": login,
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": `User:${username}`,
  };
}

async function format(options: KafkaOptions, folder: string, properties: string): Promise<void> {
  await rm(join(folder, "log"), { recursive: true, force: true });
  await runToEnd({
    name: "kafka-format",
    command: options.java,
    args: [
      ...["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...javaOptions(options, folder)],
      ...["kafka.tools.StorageTool", "format", "-t", newClusterId(), "-c", properties],
    ],
    dataDir: options.dataDir,
  });
}

function javaOptions(options: KafkaOptions, folder: string): string[] {
  const logging = join(import.meta.dirname, "kafka-log4j2.properties");
  return [
    `-Dlog4j2.configurationFile=${logging}`,
    `-Djava.io.tmpdir=${folder}`,
    ...["-cp", join(options.jars, "*")],
  ];
}

/** 16 random bytes, without a leading dash, which Kafka's tools would read as an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? newClusterId() : id;
}
