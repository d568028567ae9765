// Calls of OpenCode's client: their results and errors, and the requests for which the plugin's client has no method.

const json = { "Content-Type": "application/json" }

/** @param {any} error @returns {string} */
export function errorText(error) {
  return String(error?.data?.message ?? error?.message ?? error?.name ?? JSON.stringify(error))
}

/** A call's data. The client resolves to `{error}` rather than throwing. @param {Promise<any>} call */
export async function result(call) {
  const { data, error } = await call
  if (error) throw new Error(errorText(error))
  return data
}

/** A call's data; undefined where OpenCode has no such session. @param {Promise<any>} call */
export async function unlessGone(call) {
  const answer = await call
  if (answer.response?.status === 404 || answer.error?.name === "NotFoundError") return undefined
  return result(Promise.resolve(answer))
}

/** @param {any} client @param {string} level @param {string} message */
export const log = (client, level, message) => client.app.log({ body: { service: "orchestrator", level, message } })

/**
 * Replaces a tool part that runs; shows progress where `ctx.metadata()` does nothing (host contract A.2).
 * @param {any} client
 * @param {any} part  as it is stored, with another state
 */
export async function patchPart(client, part) {
  const url = `/session/${part.sessionID}/message/${part.messageID}/part/${part.id}`
  await client._client.patch({ url, body: part, headers: json })
}

/**
 * Rejects with words; a plain reject would stop the session's loop silently (host contract 4).
 * @param {any} client @param {import("../host.js").PermissionRejection} rejection
 */
export function rejectPermission(client, { permission, directory, message }) {
  const place = directory === undefined ? {} : { query: { directory } }
  const body = { reply: "reject", message }
  return result(client._client.post({ url: `/permission/${permission}/reply`, ...place, body, headers: json }))
}

/** The events of all directories. @param {any} client @returns {Promise<ReadableStream<Uint8Array>>} */
export async function globalEvents(client) {
  const { data } = await client._client.get({ url: "/global/event", parseAs: "stream" })
  return data
}
