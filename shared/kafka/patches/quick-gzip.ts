import { promisify } from "node:util";
import { gzip, unzip, type ZlibOptions } from "node:zlib";
import kafkajs from "kafkajs";

const pack = promisify<Buffer, ZlibOptions, Buffer>(gzip);
const unpack = promisify<Buffer, Buffer>(unzip);

/**
 * Kafka's gzip at its quickest level: KafkaJS (2.2.4) compresses at zlib's usual one, which takes three
 * times as long for 3 % fewer bytes. Of a number that KafkaJS does not know it writes the lowest bits
 * into the batch, which are those of gzip; gzip itself stays as it is, for others in the process.
 */
export const QUICK_GZIP: kafkajs.CompressionTypes = 8 | kafkajs.CompressionTypes.GZIP;

Reflect.set(kafkajs.CompressionCodecs, QUICK_GZIP, () => ({
  compress: ({ buffer }: { readonly buffer: Buffer }) => pack(buffer, { level: 1 }),
  decompress: (buffer: Buffer) => unpack(buffer),
}));
