// Rule: the page's types are those of visualizer/schemas.py: src/wire.schema.json in, src/wire.ts out.
// `node wire.mjs --check` writes nothing and fails when src/wire.ts has fallen behind.
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const schema = JSON.parse(readFileSync(new URL("src/wire.schema.json", import.meta.url), "utf8"));

/** Titles would become one type alias a field; a `type` that tells a message from others is always there. */
function tidy(node, named) {
  if (Array.isArray(node)) {
    node.forEach((item) => tidy(item, false));
    return;
  }
  if (node === null || typeof node !== "object") return;
  if (!named) delete node.title;
  delete node.discriminator;
  if (node.type === "object" && node.properties?.type?.const !== undefined) {
    node.required = [...new Set([...(node.required ?? []), "type"])];
  }
  for (const [key, value] of Object.entries(node)) {
    if (key === "$defs") Object.values(value).forEach((definition) => tidy(definition, false));
    else if (key === "properties") Object.values(value).forEach((property) => tidy(property, false));
    else tidy(value, false);
  }
}

/** The names of the definitions that `from` leads to. */
function reached(from, found = new Set()) {
  for (const [, name] of JSON.stringify(schema.$defs[from]).matchAll(/"#\/\$defs\/(\w+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    reached(name, found);
  }
  return found;
}

// What the page sends may leave defaults out; what the server sends is always whole.
const asked = reached("FromPage");
for (const [name, definition] of Object.entries(schema.$defs)) {
  if (definition.properties && !asked.has(name)) definition.required = Object.keys(definition.properties);
}
tidy(schema, true);
const text = await compile(schema, "Wire", {
  unreachableDefinitions: true,
  format: false,
  ignoreMinAndMaxItems: true,
  additionalProperties: false,
  bannerComment: "// Rule: made from visualizer/schemas.py by `npm run wire`; never edited by hand.",
});

const target = new URL("src/wire.ts", import.meta.url);
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error("src/wire.ts is behind src/wire.schema.json: run `npm run wire`");
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
