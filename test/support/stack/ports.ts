const FIRST = 20_000;
const EACH = 20;

/**
 * The ports for a stack of this process; `slot` 0 or 1. Runs that start together would otherwise find
 * the same ports free. Ports in use nevertheless are skipped by `startStack`.
 */
export function ownPorts(slot: 0 | 1) {
  const base = FIRST + (process.pid % 500) * EACH + slot * (EACH / 2);
  const kafka = { kafka: base + 1, kafkaController: base + 3, kafkaServices: base + 5 };
  return { ...kafka, postgres: base, registry: base + 6, brokers: base + 8 };
}
