import { expect, test } from "vitest";
import { batchSize } from "../../services/metering/batch-size.ts";

test("a batch widens while batches are full and quick, up to the limit", () => {
  const size = batchSize(100_000);
  const widths = Array.from({ length: 7 }, () => {
    const most = size.most();
    size.took(most, 300);
    return most;
  });
  expect(widths).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 100_000, 100_000]);
});

test("it stays as it is where there is no backlog, or where batches are not quick", () => {
  const size = batchSize(100_000);
  size.took(2_000, 10);
  size.took(5_000, 1_500);
  expect(size.most()).toBe(5_000);
});

test("it is halved after each that takes long, and widens again later", () => {
  const size = batchSize(20_000);
  for (const _ of [1, 2]) size.took(size.most(), 100);
  expect(size.most()).toBe(20_000);
  size.took(20_000, 2_001);
  expect(size.most()).toBe(10_000);
  for (const _ of [1, 2, 3]) size.took(20_000, 60_000);
  expect(size.most()).toBe(5_000);
  size.took(5_000, 100);
  expect(size.most()).toBe(10_000);
});

test("a limit of one event is kept", () => {
  const size = batchSize(1);
  size.took(1, 60_000);
  size.took(1, 1);
  expect(size.most()).toBe(1);
});
