import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { freePort } from "./free-port.ts";

export interface PortReservation {
  readonly port: number;
  release(): Promise<void>;
}

/**
 * Reserves `preferred`, or the next port that is free and not reserved by another stack, whose server
 * may not be running now. A reservation binds the UDP port of the same number, which no server here
 * uses; the kernel releases it when the process ends.
 */
export async function reservePort(preferred: number): Promise<PortReservation> {
  const reserved = new Set<number>();
  for (;;) {
    const port = await freePort(preferred, reserved);
    const socket = await bindUdpPort(port);
    if (socket !== undefined) return { port, release: () => close(socket) };
    reserved.add(port);
  }
}

/** Undefined if another process has bound it. */
async function bindUdpPort(port: number): Promise<Socket | undefined> {
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
