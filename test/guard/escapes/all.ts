import { bindEscapes } from "./binds.ts";
import { commandEscapes } from "./commands.ts";
import { containerEscapes } from "./containers.ts";
import type { Table } from "./escape.ts";
import { familyEscapes } from "./families.ts";
import { headerEscapes } from "./headers.ts";
import { imageRouteEscapes } from "./image-routes.ts";
import { imageEscapes } from "./images.ts";
import { jsonEscapes } from "./json.ts";
import { jsonValueEscapes } from "./json-values.ts";
import { labelEscapes } from "./labels.ts";
import { listEscapes } from "./lists.ts";
import { mountEscapes } from "./mounts.ts";
import { namespaceEscapes } from "./namespaces.ts";
import { networkEscapes } from "./network.ts";
import { operationEscapes } from "./operations.ts";
import { otherListEscapes } from "./other-lists.ts";
import { portEscapes } from "./ports.ts";
import { privilegeEscapes } from "./privileges.ts";
import { queryEscapes } from "./query.ts";
import { resourceEscapes } from "./resources.ts";
import { targetEscapes } from "./target.ts";
import { volumeEscapes } from "./volumes.ts";

const tables: readonly Table[] = [
  ...[jsonEscapes, jsonValueEscapes, privilegeEscapes, namespaceEscapes, resourceEscapes],
  ...[bindEscapes, mountEscapes, volumeEscapes, imageEscapes, imageRouteEscapes],
  ...[containerEscapes, commandEscapes, listEscapes, otherListEscapes, familyEscapes, operationEscapes],
  ...[targetEscapes, queryEscapes, headerEscapes, networkEscapes, portEscapes, labelEscapes],
];

/** Every escape; the number and the order do not depend on the world. */
export const allEscapes: Table = (world) => tables.flatMap((table) => table(world));
