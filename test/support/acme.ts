import { type ChildProcess, spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, request } from "node:https";
import { join } from "node:path";
import { makeCertificate } from "./certificates.ts";
import { eventually, output } from "./command.ts";
import { freePort } from "./stack.ts";

/** A real ACME server (pebble) and its DNS, on this machine. */
export interface AcmeServer {
  readonly directory: string;
  /** The roots of its directory's own certificate and of those that it issues. */
  roots(): Promise<string>;
  /** Lets the name lead to an address, or nowhere. */
  resolveTo(name: string, address: string | undefined): Promise<void>;
  stop(): void;
}

/** How it is to behave. */
export interface AcmeOptions {
  /** Seconds after which a certificate is to be renewed, as it tells clients that ask (RFC 9773). */
  readonly renewAfterSeconds: number;
  /** Seconds for which a certificate is valid. */
  readonly validSeconds: number;
  /** Where it looks for an answer to TLS-ALPN-01; a port where nothing is leaves only HTTP-01, and the other way round. */
  readonly tlsPort?: number;
  readonly httpPort?: number;
  /** A key of external account binding, by its id, without which nobody gets an account. */
  readonly eab?: Readonly<Record<string, string>>;
}

/** Starts one whose files lie in a folder; containers reach it through the address of Docker's own bridge. */
export async function startAcme(folder: string, options: AcmeOptions): Promise<AcmeServer> {
  const { validSeconds, renewAfterSeconds, tlsPort = 443, httpPort = 80, eab } = options;
  const host = await bridgeAddress();
  const [port, management, dns, dnsManagement] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  await makeCertificate(folder, "directory", { addresses: [host, "127.0.0.1"] });
  const configuration = {
    ...{ listenAddress: `${host}:${port}`, managementListenAddress: `127.0.0.1:${management}`, httpPort, tlsPort },
    ...{ certificate: join(folder, "directory.pem"), privateKey: join(folder, "directory.key"), ocspResponderURL: "" },
    ...{ externalAccountBindingRequired: eab !== undefined, externalAccountMACKeys: eab ?? {} },
    ...{
      retryAfter: { authz: 1, order: 1 },
      profiles: { default: { description: "short", validityPeriod: validSeconds } },
    },
  };
  await writeFile(join(folder, "pebble.json"), JSON.stringify({ pebble: configuration }));
  const none = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""];
  const children = [
    spawn(
      "pebble-challtestsrv",
      [
        ...none,
        "-defaultIPv6",
        "",
        "-defaultIPv4",
        "",
        "-dnsserver",
        `127.0.0.1:${dns}`,
        "-management",
        `127.0.0.1:${dnsManagement}`,
      ],
      {
        stdio: "ignore",
      },
    ),
    spawn("pebble", ["-config", join(folder, "pebble.json"), "-dnsserver", `127.0.0.1:${dns}`], {
      stdio: "ignore",
      env: { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0", PEBBLE_AUTHZREUSE: "0" },
    }),
  ] satisfies ChildProcess[];
  const roots = async () => {
    const [root, directory] = await Promise.all([
      fetchUnchecked(`https://127.0.0.1:${management}/roots/0`),
      output("cat", [join(folder, "directory.pem")]),
    ]);
    return `${directory}${root}`;
  };
  const tell = (path: string, body: unknown) =>
    fetch(`http://127.0.0.1:${dnsManagement}/${path}`, { method: "POST", body: JSON.stringify(body) });
  await eventually(roots);
  const front = await startDirectory(folder, host, `https://${host}:${port}/dir`, renewAfterSeconds);
  await eventually(() => tell("clear-a", { host: "nobody." }));
  return {
    directory: `https://${host}:${front.port}/dir`,
    roots,
    async resolveTo(name, address) {
      await tell("clear-servfail", { host: name });
      if (address === undefined) await tell("set-servfail", { host: name });
      else await tell("add-a", { host: name, addresses: [address] });
    },
    stop() {
      front.close();
      for (const child of children) child.kill();
    },
  };
}

/** The engine itself names it only from its second start on, and Node.js only while a container is connected. */
async function bridgeAddress(): Promise<string> {
  const shown = await output("ip", ["-4", "-o", "address", "show", "docker0"]);
  const [, address] = / inet ([\d.]+)\//.exec(shown) ?? [];
  if (address === undefined) throw new Error(`docker0, the bridge of the Docker engine, has no address: ${shown}`);
  return address;
}

/** Pebble draws the time of a renewal by lot: a directory before its own names another place to ask for that. */
async function startDirectory(folder: string, host: string, pebble: string, renewAfterSeconds: number) {
  const [key, cert] = await Promise.all(["directory.key", "directory.pem"].map((name) => readFile(join(folder, name))));
  const directory: object = JSON.parse(await fetchUnchecked(pebble, "newOrder"));
  const server = createServer({ key, cert }, (asked, response) => {
    response.setHeader("content-type", "application/json");
    if (asked.url === "/dir") {
      const renewalInfo = `https://${asked.headers.host}/renewal-info`;
      return void response.end(JSON.stringify({ ...directory, renewalInfo }));
    }
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    response.setHeader("retry-after", "21600");
    response.end(JSON.stringify({ suggestedWindow: { start: at(renewAfterSeconds), end: at(renewAfterSeconds + 1) } }));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  return { port: typeof address === "object" ? address?.port : undefined, close: () => server.close() };
}

/** Its own certificate is that of its directory, which nobody knows here. */
function fetchUnchecked(url: string, expected = "BEGIN CERTIFICATE"): Promise<string> {
  return new Promise((resolve, reject) => {
    // Pebble wants to know who asks.
    const headers = { "user-agent": "test" };
    request(url, { rejectUnauthorized: false, agent: false, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => (text.includes(expected) ? resolve(text) : reject(new Error(text))));
    })
      .on("error", reject)
      .end();
  });
}
