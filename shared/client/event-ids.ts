import { randomFillSync } from "node:crypto";
import { uuidV7 } from "../core/text/uuid.ts";

const RANDOM_BYTES = 8;
const IDS_PER_FILL = 512;

/** Makes ids that sort by time, even within a millisecond. */
export function eventIds(): (now: number) => string {
  const random = new Uint8Array(RANDOM_BYTES * IDS_PER_FILL);
  let used = random.length;
  let last = 0;
  let sequence = 0;
  return (now) => {
    if (used === random.length) {
      randomFillSync(random);
      used = 0;
    }
    // If the clock stands still or steps back, or after 4096 ids in a millisecond, continue from the last.
    if (now > last) {
      last = now;
      sequence = 0;
    } else if (++sequence > 0xfff) {
      last += 1;
      sequence = 0;
    }
    const id = uuidV7(last, sequence, random.subarray(used, used + RANDOM_BYTES));
    used += RANDOM_BYTES;
    return id;
  };
}
