import "../schema-settings.ts";
import * as z from "zod";

/** A field that Go programs print as null, leave out, or fill: undefined where there is nothing. */
export function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A list that may be null or missing: empty then. */
export function listOf<T extends z.ZodType>(schema: T) {
  return z
    .array(schema)
    .nullish()
    .transform((items) => items ?? []);
}

/** A map that may be null or missing: empty then. */
export function mapOf<T extends z.ZodType>(schema: T) {
  return z
    .record(z.string(), schema)
    .nullish()
    .transform((entries) => entries ?? {});
}

/** A boolean that is false where it is null or missing. */
export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
