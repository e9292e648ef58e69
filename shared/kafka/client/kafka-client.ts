import net from "node:net";
import tls from "node:tls";
import kafkajs, { type ISocketFactory, type Kafka } from "kafkajs";
import type { KafkaSettings } from "../../runtime/server-settings.ts";
import { dropSilent } from "../patches/drop-silent.ts";
import { restIdleQueues } from "../patches/idle-queues.ts";

const { KafkaJSError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError, logLevel } = kafkajs;
const { KafkaJSGroupCoordinatorNotFound, KafkaJSSASLAuthenticationError } = kafkajs;

/** What is logged of Kafka: the part of a logger that the client's package knows. */
export interface KafkaLog {
  debug(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/**
 * The answer to a request. Less than the session of a consumer and the idle time of a transaction in Postgres
 * (10 s), so that neither ends because a connection went silent. A join takes its time-out and 5 s more.
 */
const REQUEST_TIMEOUT_MS = 7_000;
const KEEP_ALIVE_MS = 10_000;

/** How long the members of a group may take to join again; their batches take less. */
export const REBALANCE_TIMEOUT_MS = 15_000;

/** A Kafka client that logs to `logger`. Retries are set, because the defaults depend on NODE_ENV. */
export function openKafka(settings: KafkaSettings, clientId: string, logger: KafkaLog): Kafka {
  const { sasl } = settings;
  const kafka = new kafkajs.Kafka({
    clientId,
    brokers: [...settings.brokers],
    ...(settings.tls === null
      ? {}
      : { ssl: settings.tls.ca === undefined ? true : { ca: [settings.tls.ca] } }),
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
    connectionTimeout: 5_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    socketFactory: openSocket,
    retry: { initialRetryTime: 200, maxRetryTime: 10_000, retries: 5 },
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ level, log }) => {
        const { message, timestamp: _, logger: __, stack: ___, ...details } = log;
        if (level === logLevel.ERROR) logger.warn(details, `kafka: ${message}`);
        else logger.debug(details, `kafka: ${message}`);
      },
  });
  restIdleQueues(kafka);
  dropSilent(kafka);
  return kafka;
}

/** As KafkaJS's own, which sends keep-alives only each minute. */
const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const named = net.isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? tls.connect({ host, port, ...named, ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  return socket.setKeepAlive(true, KEEP_ALIVE_MS);
};

/**
 * What a partition's new leader may say of a producer that sent to the one before. A new producer, which each error
 * brings, begins with a sequence of its own.
 */
const BROKEN_SEQUENCE = new Set([
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "DUPLICATE_SEQUENCE_NUMBER",
  "UNKNOWN_PRODUCER_ID",
]);

/** The broker cannot be reached, does not answer, or has lost a producer's sequence. */
export function isKafkaOutage(error: unknown): boolean {
  return (
    error instanceof KafkaJSNumberOfRetriesExceeded ||
    error instanceof KafkaJSGroupCoordinatorNotFound ||
    (error instanceof KafkaJSError && (error.retriable || isKafkaOutage(error.cause))) ||
    isLoginCutOff(error) ||
    isWithoutMetadata(error) ||
    (error instanceof KafkaJSProtocolError && BROKEN_SEQUENCE.has(error.type))
  );
}

/** A connection that closes or goes silent during the login refuses nobody, though KafkaJS reports it so. */
function isLoginCutOff(error: unknown): boolean {
  return (
    error instanceof KafkaJSSASLAuthenticationError &&
    /Closed connection|Connection error|timed out/.test(error.message)
  );
}

/** KafkaJS reads metadata of null when no broker could be reached. */
function isWithoutMetadata(error: unknown): boolean {
  return error instanceof TypeError && /of null \(reading 'topicMetadata'\)/.test(error.message);
}

/** The broker refuses a message or batch for its size. */
export function isTooLarge(error: unknown): error is Error {
  return error instanceof KafkaJSProtocolError && error.type === "MESSAGE_TOO_LARGE";
}

function saslOptions({ mechanism, username, password }: NonNullable<KafkaSettings["sasl"]>) {
  switch (mechanism) {
    case "plain":
      return { mechanism, username, password };
    case "scram-sha-256":
      return { mechanism, username, password };
    case "scram-sha-512":
      return { mechanism, username, password };
  }
}
