import { defineConfig } from "vite";

/** Where `vite` finds the API while somebody works on the page. */
const api = process.env["TANDEM_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  // Addresses between the files are relative; the server puts its path prefix into index.html.
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
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
