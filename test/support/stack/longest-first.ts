import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * They take more than a minute: started last, one of them would run alone at the end. The first ones mostly
 * wait, so that the deadlines of the run under fire are those of services that get the processor.
 */
const LONGEST = [
  "test/fire/fire.test.ts",
  "test/upgrade/upgrade.test.ts",
  "test/crash/health.test.ts",
  "test/crash/outages.test.ts",
  "test/month/time-machine.test.ts",
  "test/crash/top-up-kills.test.ts",
  "test/replay/replay.test.ts",
  "test/crash/kills.test.ts",
  "test/api/fuzz.test.ts",
  "test/infra/local/stack.test.ts",
  "test/infra/docker/image.test.ts",
  "test/pipeline/top-up-unknown.test.ts",
  "test/reconcile/faults.test.ts",
  "test/crash/scheduler-kills.test.ts",
  "test/restore/restore.test.ts",
  "test/examples/examples.test.ts",
  "test/examples/readme.test.ts",
  "test/month/schedulers.test.ts",
];

/** The order of test files on a machine without timings: the longest first. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((file) => moduleId.endsWith(file));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
