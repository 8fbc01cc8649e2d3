// The same function for `import`.
import library from "./fetch.js";

export const { createFetch } = library;
