"use strict";
// liter-llm: one client for every LLM provider. Modules whose names begin with _ are private.

const { classes } = require("./_errors.js");
const { Client, generate, invoke, invokeSync } = require("./_client.js");
const { Chunk } = require("./_models.js");
const { Stream } = require("./_stream.js");
const { version } = require("../package.json");

module.exports = { ...classes, Chunk, Client, Stream, generate, invoke, invokeSync, version };
