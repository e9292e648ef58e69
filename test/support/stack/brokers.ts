import { resolve } from "node:path";
import { partsIn } from "../../../infra/local/fetch-parts.ts";
import { findJava } from "../../../infra/local/find-java.ts";
import { kafkaPart } from "../../../infra/local/kafka.ts";
import { reservePort } from "../../../infra/local/reserve-port.ts";
import { quickJava } from "./quick-java.ts";

/** The number of concurrent test files. They mostly wait, so there are more than cores. */
export const WORKERS = 3;

/** The environment variable with the address of each worker's broker, separated by spaces. */
export const BROKERS = "TEST_KAFKA_BROKERS";

/** Whether no other test file uses this file's broker meanwhile. */
export function hasOwnBroker(): boolean {
  return process.env[BROKERS]?.split(" ").length === WORKERS;
}

const PARTS = resolve(import.meta.dirname, "../../../.local/parts");

interface Broker {
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts a Kafka in addition to the stack's, which has fetched it. */
export async function startBroker(dataDir: string, preferredPort: number): Promise<Broker> {
  const java = await findJava(process.env);
  const { kafka: jars } = partsIn(PARTS);
  const held = new AsyncDisposableStack();
  const reserve = async () => {
    const { port, release } = await reservePort(preferredPort);
    held.defer(release);
    return port;
  };
  const [port, controllerPort] = [await reserve(), await reserve()];
  const place = { java, jars, dataDir, port, controllerPort, javaOptions: quickJava().kafkaJava };
  const kafka = kafkaPart(place, () => undefined);
  held.defer(() => kafka.stop());
  try {
    await kafka.start();
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
  return { address: `127.0.0.1:${port}`, stop: () => held.disposeAsync() };
}
