"use strict";
// What a client is made from: a configuration, and the settings of its default provider.

const { readFileSync } = require("node:fs");
const { isUint8Array } = require("node:util/types"); // accepts other realms, in which tests run
const { BadRequestError } = require("./_errors.js");
const { checkValue, encode, stringify } = require("./_json.js");
const { CONFIG_NAMES, SETTING_NAMES, SETTING_SPELLINGS, misplaced } = require("./_names.js");
const { isObject } = require("./_request.js");

/** @typedef {import("./_native.js").Text} Text */
/** @typedef {import("./_request.js").Members} Members */

/** What else a text may be meant for. */
const NO_JSON =
  'a file is read by its URL, new Client(new URL("file:///etc/liter-llm.json")), ' +
  "and a key is a setting, new Client({ api_key: … })";

/**
 * A configuration as JSON, and the options that it sets. It is an object, which may have settings of
 * the default provider, JSON text, or the URL of a file. `undefined` is the environment.
 * @param {unknown} config
 * @param {Members} options those of the client
 * @returns {{document: Text | undefined, options: Members}}
 */
function readConfig(config, options) {
  if (config === undefined || config === null) return { document: undefined, options };
  if (typeof config === "string") {
    return { document: encode(config, "configuration", NO_JSON), options };
  }
  if (isUint8Array(config)) return { document: config, options };
  if (config instanceof URL) return { document: readFileSync(config), options };
  if (!isObject(config)) {
    const type = Array.isArray(config) ? "array" : typeof config;
    throw new TypeError(
      `a configuration is an object, JSON text or the URL of a file, not of type ${type}`,
    );
  }
  const { settings, members } = split(/** @type {Members} */ (config));
  const { timeout_ms, ...entry } = settings;
  checkValue("headers", entry.headers);
  if (timeout_ms !== undefined) options = { timeout_ms, ...options };
  // Settings alone stand beside the environment's configuration, and so does what is undefined.
  if (isEmpty(entry) && isEmpty(members) && !isEmpty(config)) {
    return { document: undefined, options };
  }
  const whole = isEmpty(entry) ? members : withEntry(members, entry, options);
  return { document: stringify(whole, "configuration"), options };
}

/** @param {Members} members */
const isEmpty = (members) => Object.keys(members).length === 0;

/**
 * Settings by their contract's names, and the members of a configuration.
 * @param {Members} config
 */
function split(config) {
  /** @type {Members} */
  const settings = {};
  /** @type {Members} */
  const members = Object.create(null);
  for (const [name, value] of Object.entries(config)) {
    const setting = SETTING_SPELLINGS.get(name) ?? name;
    if (SETTING_NAMES.has(setting)) {
      if (value === undefined || value === null) continue;
      if (setting in settings) throw new TypeError(`${name} is given twice`);
      settings[setting] = value;
    } else {
      const advice = CONFIG_NAMES.has(name) ? undefined : misplaced(name, value);
      if (advice !== undefined) throw advice;
      if (value !== undefined) members[name] = value;
    }
  }
  return { settings, members };
}

/**
 * The configuration with these settings of its default provider. Without further members it is the
 * environment's.
 * @param {Members} members
 * @param {Members} entry
 * @param {Members} options
 * @returns {Members}
 */
function withEntry(members, entry, options) {
  const base = isEmpty(members) ? environmentConfig() : members;
  const prefix = /^[^/]+(?=\/)/.exec(base.default_model ?? "")?.[0];
  const name = options.provider ?? base.default_provider ?? prefix;
  const first = Object.keys(entry)[0];
  if (name == null) {
    throw new TypeError(
      `${first} is a setting of one provider: name the provider, ` +
        `new Client({ ${first}: … }, { provider: "openai" })`,
    );
  }
  if (Object.hasOwn(base.routes ?? {}, name)) {
    throw new TypeError(
      `${first} is a setting of one provider, but ${name} is a route: ` +
        "set it in providers.<name> of the configuration",
    );
  }
  const before = base.providers?.[name] ?? {};
  const headers = { ...before.headers, ...entry.headers };
  const merged = { ...before, ...entry, ...(isEmpty(headers) ? {} : { headers }) };
  const providers = { ...base.providers, [name]: merged };
  return { ...base, default_provider: base.default_provider ?? name, providers };
}

/**
 * The environment's configuration, as the engine reads it.
 * @returns {Members}
 */
function environmentConfig() {
  const { LITER_LLM_CONFIG: text, LITER_LLM_PROVIDER, LITER_LLM_MODEL } = process.env;
  /** @type {Members} */
  let config = {};
  if (text) {
    const inline = text.trimStart().startsWith("{");
    try {
      config = JSON.parse(inline ? text : readFileSync(text, "utf8"));
    } catch (error) {
      // Not the parser's message: it quotes the text, which may hold a key.
      const code = /** @type {any} */ (error).code ?? "it is not JSON";
      throw BadRequestError.of(`cannot read LITER_LLM_CONFIG: ${code}`, {
        param: "LITER_LLM_CONFIG",
      });
    }
  }
  if (LITER_LLM_PROVIDER) config.default_provider = LITER_LLM_PROVIDER;
  if (LITER_LLM_MODEL) config.default_model = LITER_LLM_MODEL;
  return config;
}

module.exports = { readConfig };
