"use strict";
// Loads the addon from the platform's package. In a checkout that package is a workspace,
// platforms/….

const { version } = require("../package.json");

/** @typedef {import("./_native.js").Addon} Addon */

/** The platforms that have a package. */
const BUILT = ["linux-x64-gnu"];

/** The name of this platform, as in `@liter-llm/node-linux-x64-gnu`. */
function platformName() {
  const { platform, arch } = process;
  return platform === "linux" ? `linux-${arch}-${libc()}` : `${platform}-${arch}`;
}

/** The C library of this process. The report names glibc's version if it is glibc. */
function libc() {
  /** @type {any} */
  const { report } = process;
  if (typeof report?.getReport !== "function") return "gnu"; // another runtime
  const { excludeNetwork } = report;
  report.excludeNetwork = true; // otherwise it looks up names
  const { header } = report.getReport();
  report.excludeNetwork = excludeNetwork;
  return header.glibcVersionRuntime === undefined ? "musl" : "gnu";
}

/** @returns {Addon} */
function load() {
  const named = process.env.LITER_LLM_ADDON;
  if (named) return require(named);
  // The quick guess comes first, because the question of the C library takes milliseconds.
  const { platform, arch } = process;
  const guess = platform === "linux" ? `linux-${arch}-gnu` : platformName();
  try {
    const addon = require(`@liter-llm/node-${guess}/liter_llm.node`);
    if (addon.version === version) return addon;
    throw new Error(`it is version ${addon.version}, and this package ${version}`);
  } catch (error) {
    throw new Error(advice(platformName(), error), { cause: error });
  }
}

/**
 * Says what is wrong and what to do about it.
 * @param {string} platform
 * @param {any} error
 */
function advice(platform, error) {
  const head = `@liter-llm/node cannot load its addon for ${platform} on Node ${process.version}: `;
  if (!BUILT.includes(platform)) {
    return (
      `${head}there is no package for ${platform} (built: ${BUILT.join(", ")}). ` +
      "Build one in a checkout with `make node-addon`, and name its file in LITER_LLM_ADDON"
    );
  }
  const packageName = `@liter-llm/node-${platform}`;
  if (error?.code === "MODULE_NOT_FOUND") {
    return (
      `${head}the package ${packageName} is not installed. It is an optional dependency: install again ` +
      "without --omit=optional and on the platform it runs on, or: " +
      `npm install ${packageName}@${version}`
    );
  }
  return (
    `${head}${error?.message ?? error}. Install both again: ` +
    `npm install @liter-llm/node@${version} ${packageName}@${version}`
  );
}

module.exports = { advice, load, platformName };
