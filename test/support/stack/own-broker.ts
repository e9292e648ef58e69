import { BROKERS } from "./brokers.ts";

/**
 * Assigns the worker its broker, before each of its files. The services use one topic and one group, so
 * files on one broker would wait for each other.
 */
const brokers = (process.env[BROKERS] ?? "").split(" ");
const own = brokers[Number(process.env["VITEST_POOL_ID"]) - 1];
if (own !== undefined) process.env["KAFKA_BROKERS"] = own;
