import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The build is committed below ../dist and compared by CI: names by content, nothing from another origin, nothing inlined.
export default defineConfig({
  plugins: [react()],
  base: "/ui/",
  html: { cspNonce: "__NONCE__" }, // the handler puts a new one into each answer
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: "es2022",
  },
});
