import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "node",
    setupFiles: ["tests/setup.ts"],
    testTimeout: 120_000, // of what never ends
    // To start a process for each file takes longer than the tests in it.
    pool: "threads",
    poolOptions: { threads: { singleThread: true } },
  },
});
