/** Where the Docker Engine API is reached. */
export type DockerAddress =
  | { readonly kind: "unix"; readonly socketPath: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** Reads a DOCKER_HOST value; a text instead of an address says what is wrong with it. */
export function parseDockerHost(value: string): DockerAddress | string {
  if (value.startsWith("unix://")) {
    const socketPath = value.slice("unix://".length);
    return socketPath.startsWith("/") ? { kind: "unix", socketPath } : "a unix:// address needs an absolute path";
  }
  if (value.startsWith("tcp://")) {
    if (!URL.canParse(value)) return "it is not a valid tcp:// address";
    const url = new URL(value);
    if (url.hostname === "" || url.port === "") return "a tcp:// address needs a host and a port";
    if (url.username !== "" || !["", "/"].includes(url.pathname)) return "a tcp:// address is only tcp://host:port";
    return { kind: "tcp", host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) };
  }
  return "only unix:///path and tcp://host:port are supported";
}

/** The address in DOCKER_HOST's form. */
export function dockerAddressText(address: DockerAddress): string {
  return address.kind === "unix" ? `unix://${address.socketPath}` : `tcp://${address.host}:${address.port}`;
}
