// SPDX-License-Identifier: MIT
// The REST doors, by Node's own fetch.
import { deadline } from "./wait.mjs";

export async function call(url, method, path, body, headers = {}) {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const response = await deadline(
    fetch(url + path, {
      method,
      body: text,
      headers: {
        ...(text === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
    }),
    `${method} ${path}`,
  );
  const answer = await deadline(response.text(), `the body of ${method} ${path}`);
  let json;
  try {
    json = JSON.parse(answer);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text: answer, json };
}

async function made(promise, what) {
  const answer = await promise;
  if (answer.status !== 201) throw new Error(`${what}: ${answer.status} ${answer.text}`);
  return answer.json;
}

// {poll, accessToken}
export function create(url, { topic = "Lunch", votesPerVoter = 2, name = "Ada", ...more } = {}) {
  return made(call(url, "POST", "/polls", { topic, votesPerVoter, name, ...more }), "create");
}

export function join(url, pollID, name) {
  return made(call(url, "POST", "/polls/join", { pollID, name }), "join");
}

// What a token says; no check of its signature.
export function claims(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
}
