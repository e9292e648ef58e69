/** Where other hosts can reach the API, it listens once an API key exists. */
import { describe, expect, test } from "vitest";
import { isPublic } from "../../services/api/settings.ts";
import { untilKeyExists } from "../../services/api/until-key-exists.ts";

test.each([
  ...["0.0.0.0", "::", "192.168.1.7", "api.example", "127.0.0.1.example"].map(
    (host) => [host, true] as const,
  ),
  ...["127.0.0.1", "localhost", "::1", "127.1.2.3"].map((host) => [host, false] as const),
])("%s can be reached by other hosts: %s", (host, expected) => {
  expect(isPublic(host)).toBe(expected);
});

describe("before the first API key exists", () => {
  const untilKey = async (answers: readonly boolean[], stopping = new AbortController().signal) => {
    const left = [...answers];
    const said: string[] = [];
    const logger = { warn: (line: string) => said.push(line) };
    await untilKeyExists(async () => left.shift() ?? false, { logger, stopping }, 1);
    return { left, said };
  };

  test("the API waits, and says once how to make it", async () => {
    const { left, said } = await untilKey([false, false, false, true, true]);
    expect(left).toEqual([true]);
    expect(said).toEqual([expect.stringMatching(/drawdown key create/)]);
  });

  test("it says nothing if there is one", async () => {
    expect(await untilKey([true])).toEqual({ left: [], said: [] });
  });

  test("it stops when it is asked to", async () => {
    await expect(untilKey([], AbortSignal.timeout(20))).rejects.toThrow(/aborted/);
  });
});
