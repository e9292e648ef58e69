import { DISK_FAULTS } from "./disk-faults.ts";
import { GATEWAY_FAULTS } from "./gateway-faults.ts";
import type { Kind } from "./kind.ts";
import { PROCESS_FAULTS } from "./process-faults.ts";
import { SERVER_FAULTS } from "./server-faults.ts";
import { WAY_FAULTS } from "./way-faults.ts";
import { WEBHOOK_FAULTS } from "./webhook-faults.ts";

/** All kinds of faults. */
export const KINDS: readonly Kind[] = [
  ...PROCESS_FAULTS,
  ...SERVER_FAULTS,
  ...DISK_FAULTS,
  ...WAY_FAULTS,
  ...GATEWAY_FAULTS,
  ...WEBHOOK_FAULTS,
];
