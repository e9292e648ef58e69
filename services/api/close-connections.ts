import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

const CLOSE_IDLE_EVERY_MS = 50;

/**
 * Lets no connection outlive the server. From `stopping` on, each answer ends its connection, so that clients
 * go elsewhere without a request that fails. When the server closes, it closes those that Node would wait
 * for: the ones without a request, which browsers and fetch open in advance, and the ones that
 * become idle only then.
 */
export function closeConnections(app: FastifyInstance, stopping: AbortSignal): void {
  const silent = new Set<Socket>();
  const underWay = new Set<ServerResponse>();
  const endConnection = (answer: ServerResponse) => {
    if (!answer.headersSent) answer.setHeader("Connection", "close");
  };
  app.server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  // Before Fastify's own listener, which may answer at once.
  app.server.prependListener("request", ({ socket }: IncomingMessage, answer: ServerResponse) => {
    silent.delete(socket);
    underWay.add(answer);
    answer.once("close", () => underWay.delete(answer));
    if (stopping.aborted) endConnection(answer);
  });
  stopping.addEventListener("abort", () => underWay.forEach(endConnection), { once: true });
  app.addHook("preClose", async () => {
    for (const socket of silent) socket.destroy();
    const closing = setInterval(() => app.server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    app.server.once("close", () => clearInterval(closing));
  });
}
