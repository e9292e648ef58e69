import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { isKafkaOutage } from "../../../shared/kafka/client/kafka-client.ts";

type NewError = new (message: string, options?: { cause: Error }) => Error;

test.each([
  ["a failed connection", make("KafkaJSConnectionError", "Connection error")],
  ["a login that was cut off", make("KafkaJSSASLAuthenticationError", "SASL: Closed connection")],
  [
    "a group whose coordinator is not found",
    make("KafkaJSNonRetriableError", "not found", make("KafkaJSGroupCoordinatorNotFound", "none")),
  ],
  ["metadata while no broker can be reached", thrownBy(() => metadataOf(null))],
  ["a sequence that a new leader has lost", answered("OUT_OF_ORDER_SEQUENCE_NUMBER")],
  ["a producer that a new leader does not know", answered("UNKNOWN_PRODUCER_ID")],
])("%s is an outage", (_, error) => {
  expect(isKafkaOutage(error)).toBe(true);
});

test.each([
  ["a login that is refused", make("KafkaJSSASLAuthenticationError", "SASL: Invalid credentials")],
  ["a mistake in the code", new TypeError("Cannot read properties of null (reading 'topic')")],
  ["what cannot be retried", make("KafkaJSNonRetriableError", "Invalid topic")],
  ["a message that is refused", answered("MESSAGE_TOO_LARGE")],
  ["a producer that another one has fenced", answered("INVALID_PRODUCER_EPOCH")],
])("%s is none", (_, error) => {
  expect(isKafkaOutage(error)).toBe(false);
});

/** The package's types do not say how its errors are made. */
function make(name: string, message: string, cause?: Error): Error {
  const { [name]: Made } = kafkajs as unknown as Record<string, NewError | undefined>;
  if (Made === undefined) throw new Error(`kafkajs has no ${name}`);
  return new Made(message, cause && { cause });
}

/** An answer of a broker that KafkaJS does not try again. */
function answered(type: string): Error {
  return Object.assign(make("KafkaJSProtocolError", type), { type, retriable: false });
}

/** As KafkaJS reads the answer of `cluster.metadata()`. */
function metadataOf(answer: { readonly topicMetadata: object } | null): object {
  return (answer as { readonly topicMetadata: object }).topicMetadata;
}

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
