import { isMap, isScalar, parseDocument } from "yaml";

/**
 * Names of the secrets that a Compose file asks the tool to generate, for where Compose itself cannot be asked. A file that
 * cannot be parsed has none.
 */
export function generatedNames(text: string): string[] {
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  const extensions = keysOf(document.contents).filter((key) => key.startsWith("x-sandbox-deploy"));
  return extensions.flatMap((key) => keysOf(document.getIn([key, "secrets"])));
}

function keysOf(node: unknown): string[] {
  return isMap(node) ? node.items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : [])) : [];
}
