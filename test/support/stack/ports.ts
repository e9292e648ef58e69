const FIRST = 20_000;
const EACH = 20;

/**
 * Where a stack of this process shall listen; `slot` 0 or 1. Runs that start at the same time would
 * else find the same ports free. Ports that are taken all the same are passed over by `startStack`.
 */
export function ownPorts(slot: 0 | 1) {
  const base = FIRST + (process.pid % 500) * EACH + slot * (EACH / 2);
  const stack = { postgres: base, kafka: base + 2, kafkaController: base + 4, registry: base + 6 };
  return { ...stack, brokers: base + 8 };
}
