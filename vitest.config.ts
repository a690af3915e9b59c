import { defineConfig } from 'vitest/config';

// Four rooms: `unit` and `architecture` need no privileges and take seconds; `guest` drives the compiled
// PID 1 and `functional` the built rkt, both as root.
// Time limits are far above what a test takes on a busy machine: they end what hangs, and measure nothing.
// What takes minutes is for campaigns (`npm run test:soak`).
const { RKT_TEST_SOAK } = process.env;
const SOAK_ONLY =
  RKT_TEST_SOAK === '1' ? [] : ['test/functional/lab-run.test.ts', 'test/functional/own-kernel.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'architecture',
          include: ['test/architecture/**/*.test.ts'],
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'guest',
          include: ['test/guest/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'functional',
          include: ['test/functional/**/*.test.ts'],
          exclude: SOAK_ONLY,
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          // Each has a directory and processes of its own, and half of their time is that of a machine that boots on one processor.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
