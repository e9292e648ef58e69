import kafkajs, { type Kafka } from "kafkajs";
import type { KafkaSettings } from "../../runtime/server-settings.ts";
import { restIdleQueues } from "../patches/idle-queues.ts";

const { KafkaJSError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError, logLevel } = kafkajs;
const { KafkaJSGroupCoordinatorNotFound, KafkaJSSASLAuthenticationError } = kafkajs;

/** What is logged of Kafka: the part of a logger that the client's package knows. */
export interface KafkaLog {
  debug(details: object, message: string): void;
  warn(details: object, message: string): void;
}

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
    requestTimeout: 30_000,
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
  return kafka;
}

/** The broker cannot be reached or does not answer. */
export function isKafkaOutage(error: unknown): boolean {
  return (
    error instanceof KafkaJSNumberOfRetriesExceeded ||
    error instanceof KafkaJSGroupCoordinatorNotFound ||
    (error instanceof KafkaJSError && (error.retriable || isKafkaOutage(error.cause))) ||
    isLoginCutOff(error) ||
    isWithoutMetadata(error)
  );
}

/** A connection that closes during the login refuses nobody, though KafkaJS reports it so. */
function isLoginCutOff(error: unknown): boolean {
  return error instanceof KafkaJSSASLAuthenticationError && /Closed connection/.test(error.message);
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
