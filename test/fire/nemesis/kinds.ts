import type { Kind } from "./kind.ts";
import { PROCESS_FAULTS } from "./process-faults.ts";
import { SERVER_FAULTS } from "./server-faults.ts";
import { WAY_FAULTS } from "./way-faults.ts";

/** All kinds of faults. */
export const KINDS: readonly Kind[] = [...PROCESS_FAULTS, ...SERVER_FAULTS, ...WAY_FAULTS];
