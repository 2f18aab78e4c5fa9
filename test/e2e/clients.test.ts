import { afterEach, describe, expect, it } from "vitest";
import { output } from "../support/command.ts";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

let stack: TestStack;
afterEach(() => stack.dispose());

describe("the gateway behind its proxy", () => {
  it("gives each client a budget of its own for guessing keys, and no client another one for what it claims to be", async () => {
    stack = await createStack("clients", platformConfigs.localRefusing);
    await stack.write(".env", (await stack.read(".env")).replace(/^RATE_LIMIT.*$/m, "RATE_LIMIT_PER_MINUTE=3"));
    await stack.deployOk("up", "--yes");
    const guess = async (claim: string) =>
      (await fetch(`${stack.url}/api/sandbox`, { headers: { authorization: "Bearer x", "x-forwarded-for": claim } }))
        .status;
    const guesses = [];
    for (const claim of ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"]) guesses.push(await guess(claim));
    expect(guesses).toEqual([401, 401, 401, 429]);

    const client = `const r = await fetch("http://proxy:8080/api/sandbox", { headers: { authorization: "Bearer x" } }); console.log(r.status)`;
    const other = ["run", "--rm", "--network", `${stack.project}_edge`, "--entrypoint", "node"];
    const { Image } = await stack.inspect(`${stack.project}-gateway-1`);
    expect(await output("docker", [...other, String(Image), "--input-type=module", "-e", client])).toBe("401\n");

    const log = await output("docker", ["logs", `${stack.project}-gateway-1`]);
    expect(log).not.toContain("203.0.113.");
    expect(log).not.toContain("the proxy is not found");
  });

  it("names the operator's file in a refusal to run code, not its place in the container", async () => {
    stack = await createStack("named", platformConfigs.localRefusing);
    await stack.deployOk("up", "--yes");
    const { status, body } = await stack.api("/api/run", { language: "bash", code: "echo 1", timeoutSeconds: 5 });
    expect(status).toBe(403);
    expect(body["error"]).toContain("set sandbox.allow_host_bash: true in config.yaml if you trust every line");
    const { body: sandbox } = await stack.api("/api/sandbox");
    expect(JSON.stringify(sandbox)).not.toContain("/etc/gateway");
  });
});
