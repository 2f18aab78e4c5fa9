import { writeFile } from "node:fs/promises";
import { configJsonSchema, configReference } from "./core/config/config-reference.ts";

// Maintainers run this after a change of the schema: it rewrites the two files that follow from it.
await writeFile("deploy.schema.json", `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
await writeFile("deploy.config.yaml", configReference());
