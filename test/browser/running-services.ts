import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { API_SERVICE } from "../../infra/local/services.ts";
import { startSimulatedGateway } from "../../infra/simulated-gateway/start-gateway.ts";
import { type Books, openBooks } from "../support/books/books.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic } from "../support/kafka/usage-topic.ts";
import { type GatewayGate, openGatewayGate } from "../support/processes/gateway-gate.ts";
import { startMetering } from "../support/processes/metering-process.ts";
import { type ServiceProcess, startService } from "../support/processes/service-process.ts";
import { takeTopUpGroup, topUpProcess } from "../support/processes/top-up-process.ts";
import { openWire, type Wire } from "./wire.ts";

/** The services as real processes on the real servers, and a browser's connection to them. */
export interface RunningServices {
  readonly books: Books;
  readonly usage: UsagePublisher;
  readonly wire: Wire;
  /** Makes the gateway wait. */
  readonly gate: GatewayGate;
  /** Kills the API, and starts another. */
  restartApi(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts metering, the top-up service with the simulated gateway, and the API, on `prepare`d books. */
export async function startServices(
  prepare: (books: Books) => Promise<void>,
): Promise<RunningServices> {
  const kafka = testKafka();
  const ends: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  const kept = <T>(thing: T, end: (thing: T) => Promise<unknown>): T => {
    ends.push(() => end(thing));
    return thing;
  };
  try {
    kept(await takeUsageTopic(kafka), (giveBack) => giveBack());
    kept(await takeTopUpGroup(kafka), (giveBack) => giveBack());
    const books = kept(await openBooks(), ({ close }) => close());
    await prepare(books);
    const dataDir = kept(await mkdtemp(join(tmpdir(), "gateway-")), (folder) =>
      rm(folder, { recursive: true, force: true }),
    );
    const gateway = kept(await startSimulatedGateway({ dataDir }), ({ close }) => close());
    const gate = kept(await openGatewayGate(gateway.url), ({ close }) => close());
    const env = { ...process.env, DATABASE_URL: books.url, API_PORT: "0" };
    const metering = kept(startMetering(env), ({ kill }) => kill());
    const topUp = kept(topUpProcess({ databaseUrl: books.url, gatewayUrl: gate.url }), (process) =>
      process.kill(),
    );
    let api = startService(API_SERVICE, env);
    ends.push(() => api.kill());
    const wire = kept(await openWire(await urlOf(api)), ({ close }) => close());
    await metering.says(/^metering$/);
    await topUp.says(/^topping up$/);
    const usage = kept(await openUsagePublisher(kafka), ({ close }) => close());
    return {
      ...{ books, usage, wire, gate, stop },
      async restartApi() {
        await api.kill();
        api = startService(API_SERVICE, env);
        wire.leadTo(await urlOf(api));
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves once it serves. */
async function urlOf(api: ServiceProcess): Promise<string> {
  const { address } = await api.says(/^serving$/);
  return String(address);
}

/** An account id that no other run uses on the shared topics. */
export function accountName(name: string): string {
  return `${name}-${randomBytes(3).toString("hex")}`;
}
