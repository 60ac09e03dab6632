// Rule: one build, two ways in: the lab's page, and <packet-player> for any page.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "./", // beside one another, wherever Django serves them from
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600, // kB, before compression: the YAML editor, which is loaded when it is first wanted
    rolldownOptions: {
      input: { main: at("src/main.ts"), player: at("src/player.ts") },
      preserveEntrySignatures: "exports-only",
      output: { entryFileNames: ({ name }) => (name === "player" ? "player.js" : "assets/[name]-[hash].js") },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
