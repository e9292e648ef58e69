import { once } from "node:events";
import { connect } from "node:net";
import type { Kafka } from "kafkajs";

const LEAVE_GROUP = 13;
const UNKNOWN_MEMBER = 25;
const ANSWER_WITHIN_MS = 20_000;

/**
 * Removes the members of a consumer group, as Kafka does after the session timeout, so that a test need
 * not wait for it after a kill -9.
 */
export async function dismissMembers(
  kafka: Kafka,
  brokers: string,
  groupId: string,
): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups([groupId]);
    const ids = groups.flatMap((group) => group.members.map((member) => member.memberId));
    for (const id of ids) await leaveGroup(brokers, groupId, id);
    return ids;
  } finally {
    await admin.disconnect();
  }
}

/** Kafka's LeaveGroup request, version 0. KafkaJS sends it for a consumer's own membership only. */
async function leaveGroup(brokers: string, groupId: string, memberId: string): Promise<void> {
  const [host, port] = (brokers.split(",")[0] ?? "").split(":");
  const request = Buffer.concat([
    ...[int16(LEAVE_GROUP), int16(0), int32(1), int16(-1)],
    ...[string(groupId), string(memberId)],
  ]);
  const socket = connect({ host: host ?? "", port: Number(port) });
  socket.write(Buffer.concat([int32(request.length), request]));
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const [answer]: unknown[] = await once(socket, "data", { signal }).finally(() => {
    socket.destroy();
  });
  if (!Buffer.isBuffer(answer) || answer.length < 10) throw new Error("LeaveGroup got no answer");
  const error = answer.readInt16BE(8);
  if (error !== 0 && error !== UNKNOWN_MEMBER)
    throw new Error(`LeaveGroup was answered with error ${error}`);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}
