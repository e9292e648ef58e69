/** A service goes on as long as its consumer and the work beside it both do. */
import { expect, test } from "vitest";
import { untilStopped } from "../../../shared/kafka/consume/run-reader.ts";

const GOES_ON = new Promise<never>(() => undefined);
const WITHIN_MS = 10_000;

test(
  "a consumer that ends with an error ends the service, although the work beside it goes on",
  async () => {
    const crashed = Promise.reject(new Error("the group is gone"));
    const { said, reader } = reading(crashed);
    await expect(untilStopped(reader, GOES_ON, () => void said.push("stop"))).rejects.toThrow(
      "the group is gone",
    );
    expect(said).toEqual(["stop", "left the group"]);
  },
  WITHIN_MS,
);

test(
  "work beside it that fails ends the service, although the consumer goes on",
  async () => {
    const { said, reader } = reading(GOES_ON);
    const failed = Promise.reject(new Error("no rights"));
    await expect(untilStopped(reader, failed, () => void said.push("stop"))).rejects.toThrow(
      "no rights",
    );
    expect(said).toEqual(["stop", "left the group"]);
  },
  WITHIN_MS,
);

function reading(ended: Promise<void>) {
  const said: string[] = [];
  const stop = async () => void said.push("left the group");
  return { said, reader: { ended, stop } };
}
