import type { Socket } from "node:net";
import type { Kafka } from "kafkajs";
import { patchConnections } from "./patch-connections.ts";

interface Connection {
  /** Of the connection there is or was. */
  readonly socket?: Socket;
  readonly requestQueue: {
    /** `timeoutHandler` runs when there is no answer in time. */
    createSocketRequest(request: unknown): { timeoutHandler: () => void };
  };
  isConnected(): boolean;
  connect(): Promise<unknown>;
}

/**
 * Ends the connections of this client to a broker that does not answer a request in time, so that the next
 * try opens new ones. KafkaJS (2.2.4) keeps them, and sends each try on the one that has gone silent: minutes,
 * until all are used up. It also reads a new connection's responses behind the piece that the last one left.
 */
export function dropSilent(kafka: Kafka): void {
  patchConnections<Connection>(kafka, (toBroker) => {
    const drop = () => {
      for (const { socket } of toBroker) socket?.destroy(new Error("no answer in time"));
    };
    for (const connection of toBroker) {
      dropAtTimeout(connection, drop);
      beginAnew(connection);
    }
  });
}

function dropAtTimeout({ requestQueue }: Connection, drop: () => void): void {
  const create = requestQueue.createSocketRequest.bind(requestQueue);
  requestQueue.createSocketRequest = (pushed) => {
    const request = create(pushed);
    const { timeoutHandler } = request;
    request.timeoutHandler = () => {
      timeoutHandler();
      drop();
    };
    return request;
  };
}

function beginAnew(connection: Connection): void {
  const connect = connection.connect.bind(connection);
  connection.connect = () => {
    const nothing = { chunks: [], bytesBuffered: 0, bytesNeeded: 4 };
    if (!connection.isConnected()) Object.assign(connection, nothing);
    return connect();
  };
}
