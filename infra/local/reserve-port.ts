import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { freePort } from "./free-port.ts";

export interface PortReservation {
  readonly port: number;
  release(): Promise<void>;
}

/**
 * `preferred`, or else the next port that is free and that no other stack on this machine has
 * reserved: its server may be about to bind it, or be away for a while. Holding a port for TCP means
 * holding the UDP port of the same number, which no server here uses. The kernel gives it to one
 * process only and takes it back when that process ends, however it ends.
 */
export async function reservePort(preferred: number): Promise<PortReservation> {
  const reserved = new Set<number>();
  for (;;) {
    const port = await freePort(preferred, reserved);
    const socket = await holdUdpPort(port);
    if (socket !== undefined) return { port, release: () => close(socket) };
    reserved.add(port);
  }
}

/** Undefined: somebody else holds it. */
async function holdUdpPort(port: number): Promise<Socket | undefined> {
  const socket = createSocket("udp4");
  try {
    socket.bind({ port, address: "127.0.0.1", exclusive: true });
    await once(socket, "listening");
    socket.unref();
    return socket;
  } catch {
    await close(socket);
    return undefined;
  }
}

async function close(socket: Socket): Promise<void> {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}
