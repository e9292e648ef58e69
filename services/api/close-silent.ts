import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/**
 * Connections that have asked nothing yet, as browsers and fetch open some in advance, do not hold
 * up a server that closes: to Node they are neither idle nor done.
 */
export function closeSilent(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  app.server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  app.server.on("request", ({ socket }: { readonly socket: Socket }) => silent.delete(socket));
  app.addHook("preClose", async () => {
    for (const socket of silent) socket.destroy();
  });
}
