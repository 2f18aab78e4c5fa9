import "./schema-settings.ts";
import * as z from "zod";
import { flag, listOf, mapOf, maybe } from "./nullish-schema.ts";

/** How the image of a service is built; arguments and labels reach nothing and are left out. */
export const buildSchema = z.object({
  context: maybe(z.string()),
  dockerfile: maybe(z.string()),
  target: maybe(z.string()),
  network: maybe(z.string()),
  privileged: flag,
  entitlements: listOf(z.string()),
  additional_contexts: mapOf(z.string()),
});
