import { resolve } from "node:path";
import { DockerComposeEnvironment, getContainerRuntimeClient } from "testcontainers";
import { freePort } from "../../../infra/local/free-port.ts";
import type { Stack } from "../../../infra/local/stack.ts";
import {
  APPLICATION,
  BOOKS_DATABASE,
  newPassword,
  OWNER,
} from "../../../infra/postgres/create-roles.ts";

const PROJECT = resolve(import.meta.dirname, "../../..");
const SERVERS = ["postgres", "kafka", "registry"];
/** Tests also write as a service would, without its login. */
const EVERYBODY = "User:drawdown;User:ANONYMOUS";

/**
 * Starts the servers of docker-compose.yml, the one place that names their images, in containers. Their
 * host ports are chosen beforehand, since Kafka must know the one it advertises to clients.
 */
export async function startContainers(): Promise<Stack> {
  await needEngine();
  const taken = new Set<number>();
  const port = async (preferred: number) => {
    const free = await freePort(preferred, taken);
    taken.add(free);
    return String(free);
  };
  const ports = {
    POSTGRES_PORT: await port(25_432),
    KAFKA_PORT: await port(29_092),
    SCHEMA_REGISTRY_PORT: await port(28_081),
  };
  const passwords = {
    POSTGRES_PASSWORD: newPassword(),
    DATABASE_OWNER_PASSWORD: newPassword(),
    DATABASE_PASSWORD: newPassword(),
    REGISTRY_DATABASE_PASSWORD: newPassword(),
    KAFKA_PASSWORD: newPassword(),
    // Of services that are not started.
    ...{ SIMULATED_GATEWAY_WEBHOOK_SECRET: newPassword(), GRAFANA_PASSWORD: newPassword() },
  };
  const urlOf = (role: string, password: string) =>
    `postgresql://${role}:${password}@127.0.0.1:${ports.POSTGRES_PORT}/${BOOKS_DATABASE}`;
  const running = await new DockerComposeEnvironment(PROJECT, "docker-compose.yml")
    .withEnvironment({ ...ports, ...passwords, KAFKA_SUPER_USERS: EVERYBODY })
    .withStartupTimeout(180_000)
    .up(SERVERS);
  return {
    env: {
      DATABASE_URL: urlOf(APPLICATION, passwords.DATABASE_PASSWORD),
      KAFKA_BROKERS: `127.0.0.1:${ports.KAFKA_PORT}`,
      SCHEMA_REGISTRY_URL: `http://127.0.0.1:${ports.SCHEMA_REGISTRY_PORT}/apis/ccompat/v7`,
    },
    servicesEnv: {},
    setUpEnv: { DATABASE_OWNER_URL: urlOf(OWNER, passwords.DATABASE_OWNER_PASSWORD) },
    superuserUrl: urlOf("drawdown", passwords.POSTGRES_PASSWORD),
    async stop() {
      await running.down({ removeVolumes: true });
    },
  };
}

async function needEngine(): Promise<void> {
  try {
    await getContainerRuntimeClient();
  } catch (error) {
    throw new Error(
      "TEST_STACK=containers needs a running Docker engine with compose, and none answers. " +
        "Start one, or leave TEST_STACK away: the tests then start the servers without containers.",
      { cause: error },
    );
  }
}
