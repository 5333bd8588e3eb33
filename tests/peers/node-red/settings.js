// Node-RED as the bench runs it: its own defaults, without the editor, which nobody looks at, and without asking the network.
module.exports = {
  httpAdminRoot: false,
  disableEditor: true,
  telemetry: { enabled: false, updateNotification: false },
  externalModules: { autoInstall: false },
  logging: { console: { level: "info", metrics: false, audit: false } },
};
