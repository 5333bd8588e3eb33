// How the page is built: into dist, from where heatd's build takes it. `npm run dev` serves the sources beside the heatd that HEAT_URL names.
import { defineConfig } from "vite";

const heatd = process.env.HEAT_URL ?? "http://127.0.0.1:8077";

export default defineConfig({
  // Addresses are relative, so that a proxy may serve the page below a folder.
  base: "./",
  build: {
    target: "es2022",
    // A picture within a style would need a hole in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": {
        target: heatd,
        changeOrigin: true,
        // heatd refuses what comes from the page of another address, which the one of `npm run dev` is.
        configure: (proxy) => proxy.on("proxyReq", (request) => request.removeHeader("origin")),
      },
    },
  },
});
