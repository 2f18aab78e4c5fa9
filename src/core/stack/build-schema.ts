import "../schema-settings.ts";
import * as z from "zod";
import { flag, listOf, mapOf, maybe } from "./nullish-schema.ts";

/** A file of the model's `secrets` or `configs` by its key, and where the service has it. */
export const fileReference = z.object({ source: z.string(), target: maybe(z.string()) });

/** How the image of a service is built; labels reach nothing and are left out. */
export const buildSchema = z.object({
  context: maybe(z.string()),
  dockerfile: maybe(z.string()),
  target: maybe(z.string()),
  dockerfile_inline: maybe(z.string()),
  /** Tells only which images it starts from. */
  args: z.record(z.string(), z.string().nullable()).nullish().catch(null),
  network: maybe(z.string()),
  privileged: flag,
  entitlements: listOf(z.string()),
  additional_contexts: mapOf(z.string()),
  secrets: listOf(fileReference),
  ssh: listOf(z.string()),
  cache_from: listOf(z.string()),
  cache_to: listOf(z.string()),
});
