import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "node",
    setupFiles: ["tests/setup.ts"],
    // Each file in a process of its own: they replace timers, fetch and the like.
    testTimeout: 120_000, // of what never ends
  },
});
