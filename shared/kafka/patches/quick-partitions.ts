import kafkajs, { type ICustomPartitioner, type Message } from "kafkajs";

/**
 * The partition of a key, the same that Kafka's Java client gives it, so that any client puts an account on
 * the same one. KafkaJS (2.2.4) hashes with objects of 64 bits, and takes 20 times as long. What has no key,
 * or names its partition, is left to KafkaJS.
 */
export const quickPartitioner: ICustomPartitioner = () => {
  const usual = kafkajs.Partitioners.DefaultPartitioner();
  return (sending) => {
    const { key, partition } = sending.message;
    if (key == null || partition != null) return usual(sending);
    return (murmur2(bytesOf(key)) & 0x7fff_ffff) % sending.partitionMetadata.length;
  };
};

/**
 * Messages that KafkaJS (2.2.4) groups by partition once, in one pass. By itself it groups them at each try.
 * If partitions were added meanwhile, messages get others, under sequence numbers that Kafka may have taken
 * from the try before: it drops the request behind this one as a repeat, and says that it has it. It also
 * copies a partition's messages for each that it adds to them, in `reduce`: 5,000 for one partition take
 * 100 MB of garbage.
 */
export function quicklyGrouped<M extends Message>(messages: readonly M[]): M[] {
  let grouped: Groups | null = null;
  const reduce = (group: Group) => {
    grouped ??= groupOneByOne(messages, group);
    return grouped;
  };
  return Object.assign([...messages], { reduce });
}

type Groups = Record<string, Message[]>;
type Group = (groups: Groups, message: Message) => Groups;

function groupOneByOne(messages: readonly Message[], group: Group): Groups {
  const groups: Groups = {};
  for (const message of messages) {
    for (const partition of Object.keys(group({}, message))) {
      const ofPartition = groups[partition] ?? [];
      groups[partition] = ofPartition;
      ofPartition.push(message);
    }
  }
  return groups;
}

function bytesOf(key: Buffer | string): Buffer {
  return typeof key === "string" ? Buffer.from(key) : key;
}

const SEED = 0x9747b28c;
const FACTOR = 0x5bd1e995;

/** The hash of Kafka's clients (`Utils.murmur2`). */
function murmur2(data: Buffer): number {
  const whole = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let at = 0; at < whole; at += 4) {
    const mixed = Math.imul(data.readInt32LE(at), FACTOR);
    hash = Math.imul(hash, FACTOR) ^ Math.imul(mixed ^ (mixed >>> 24), FACTOR);
  }
  if (data.length > whole) {
    hash = Math.imul(hash ^ data.readUIntLE(whole, data.length - whole), FACTOR);
  }
  hash = Math.imul(hash ^ (hash >>> 13), FACTOR);
  return hash ^ (hash >>> 15);
}
