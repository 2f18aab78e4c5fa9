// A stand-in for a platform's provisioner: the same HTTP interface, but a "pod" is a folder and its sandbox API
// answers on this very server. It shows that the key and the kubeconfig arrived, never what they hold.
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { createServer } from "node:http";

const key = process.env.PROVISIONER_API_KEY ?? "";
const kubeconfig = process.env.KUBECONFIG ?? "";
const sandboxes = new Map();

function authorised(request) {
  return key !== "" && request.headers["x-api-key"] === key;
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
}

function exec({ command, hard_timeout: seconds = 30 }) {
  return new Promise((resolve) => {
    const child = spawn("bash", ["-c", command], {
      detached: true,
      env: { PATH: process.env.PATH, HOME: "/tmp" },
      cwd: "/tmp",
    });
    let stdout = "";
    let stderr = "";
    let status = "completed";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const timer = setTimeout(() => {
      status = "timed_out";
      process.kill(-child.pid, "SIGKILL");
    }, seconds * 1000);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ success: true, message: "", data: { status, stdout, stderr, exit_code: code } });
    });
  });
}

const describe = (id) => ({ sandbox_id: id, sandbox_url: `http://provisioner:8002/pods/${id}`, status: "Running" });

async function answer(request) {
  const path = new URL(request.url, "http://x").pathname;
  if (path === "/health") return [200, { status: "ok" }];
  const pod = /^\/pods\/([^/]+)\/v1\/(sandbox|bash\/exec)$/.exec(path);
  if (pod) {
    if (!sandboxes.has(pod[1])) return [404, { detail: "no such pod" }];
    return [200, pod[2] === "sandbox" ? { success: true } : await exec(await bodyOf(request))];
  }
  if (!path.startsWith("/api/")) return [404, { detail: "not found" }];
  if (!authorised(request)) return [401, { detail: "wrong or missing key" }];
  if (path === "/api/sandboxes" && request.method === "POST") {
    accessSync(kubeconfig, constants.R_OK);
    if (!statSync(kubeconfig).isFile()) return [500, { detail: "the kubeconfig is not a file" }];
    const { sandbox_id: id } = await bodyOf(request);
    sandboxes.set(id, true);
    return [200, describe(id)];
  }
  if (path === "/api/sandboxes") return [200, { sandboxes: [...sandboxes.keys()].map(describe) }];
  const id = path.slice("/api/sandboxes/".length);
  if (!sandboxes.has(id)) return [404, { detail: "no such sandbox" }];
  if (request.method === "DELETE") sandboxes.delete(id);
  return [200, describe(id)];
}

createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error) => [500, { detail: String(error) }]);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}).listen(8002);
process.on("SIGTERM", () => process.exit(0));
