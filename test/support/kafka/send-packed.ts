import kafkajs, { type Message, type Producer } from "kafkajs";
import type { Codec } from "../../../shared/kafka/records/unpack.ts";

const { CompressionCodecs, CompressionTypes } = kafkajs;
const TYPES = {
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const;

/** Sends messages as one batch, packed by `pack`, which may give any bytes. Returns the first offset. */
export async function sendPacked(
  producer: Producer,
  batch: { topic: string; messages: Message[]; codec: Codec; pack(records: Buffer): Buffer },
): Promise<bigint> {
  const { topic, messages, codec, pack } = batch;
  const type = TYPES[codec];
  const before = CompressionCodecs[type];
  CompressionCodecs[type] = () => ({
    compress: async ({ buffer }: { readonly buffer: Buffer }) => pack(buffer),
  });
  try {
    const [place] = await producer.send({ topic, messages, compression: type });
    return BigInt(place?.baseOffset ?? -1);
  } finally {
    CompressionCodecs[type] = before;
  }
}
