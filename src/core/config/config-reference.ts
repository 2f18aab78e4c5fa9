import { stringify } from "yaml";
import * as z from "zod";
import { wrapText } from "../text/wrapped-text.ts";
import { configSchema } from "./config-schema.ts";

/** The JSON schema of deploy.config.yaml, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    title: "deploy.config.yaml of sandbox-deploy",
    ...z.toJSONSchema(configSchema, { io: "input", target: "draft-7" }),
  };
}

const heading = [
  "# yaml-language-server: $schema=./deploy.schema.json",
  "# How this stack is deployed. Every key is here with its meaning and its default; one that has none is commented out.",
  "# Paths start at the folder of this file. ./deploy plan shows what follows from a change before anything happens.",
];

/** deploy.config.yaml as the commented reference of its own schema. */
export function configReference(): string {
  return [...heading, ...objectLines(configJsonSchema(), configSchema.parse({ version: 1 }), ""), ""].join("\n");
}

function objectLines(schema: unknown, values: unknown, indent: string): string[] {
  return Object.entries(recordAt(schema, "properties")).flatMap(([key, child]) => {
    const value = isRecord(values) ? values[key] : undefined;
    const comment = wrap(textAt(child, "description"), indent);
    if (isRecord(value) && "properties" in recordOf(child))
      return [...comment, `${indent}${key}:`, ...objectLines(child, value, `${indent}  `)];
    return [
      ...comment,
      `${indent}${value === undefined ? "# " : ""}${key}: ${value === undefined ? hint(child) : inline(value)}`,
    ];
  });
}

/** What may be written where there is no default. */
function hint(schema: unknown): string {
  const choices = recordOf(schema)["enum"];
  if (Array.isArray(choices)) return `<${choices.join(" | ")}>`;
  const keys = Object.keys(recordAt(schema, "properties"));
  if (keys.length > 0) return `{ ${keys.map((key) => `${key}: <text>`).join(", ")} }`;
  return textAt(schema, "type") === "array" ? "<list of paths>" : "<text>";
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trimEnd();
}

function wrap(text: string, indent: string): string[] {
  const first = `${indent}# `;
  return wrapText(text, first, first, 110);
}

function textAt(value: unknown, key: string): string {
  const found = recordOf(value)[key];
  return typeof found === "string" ? found : "";
}

function recordAt(value: unknown, key: string): Record<string, unknown> {
  return recordOf(recordOf(value)[key]);
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
