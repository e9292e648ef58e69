const FIRST = 20_000;
const EACH = 20;

/**
 * The ports for a stack of this process; `slot` 0 or 1. Runs that start together would otherwise find
 * the same ports free. Ports in use nevertheless are skipped by `startStack`.
 */
export function ownPorts(slot: 0 | 1) {
  const base = FIRST + (process.pid % 500) * EACH + slot * (EACH / 2);
  const stack = { postgres: base, kafka: base + 2, kafkaController: base + 4, registry: base + 6 };
  return { ...stack, brokers: base + 8 };
}
