import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** Where `vite` finds the API while somebody works on the page. */
const api = process.env["TANDEM_URL"] ?? "http://127.0.0.1:8000";

/** Writes the service worker, which knows by name all files that were built. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const files = ["icon.svg", ...Object.keys(bundle).filter((name) => name.startsWith("assets/"))].sort();
      const written = readFileSync("worker.js", "utf8");
      const version = createHash("sha256").update([...files, written].join("\n")).digest("hex").slice(0, 16);
      const source = written
        .replace("const FILES = [];", `const FILES = ${JSON.stringify(files)};`)
        .replace('const VERSION = "";', `const VERSION = "${version}";`);
      this.emitFile({ type: "asset", fileName: "worker.js", source });
    },
  };
}

export default defineConfig({
  // Addresses between the files are relative; the server puts its path prefix into index.html.
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  plugins: [serviceWorker()],
  build: {
    outDir: "../api/tandem_api/web",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // Nothing stands in the page itself: its content security policy forbids it.
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": api, "/docs": api, "/setup": api, "/join": api, "/reset": api } },
});
