// Keeps OpenCode from repeating a request that the engine has refused.

/** Words by which OpenCode classifies an error as a transient provider error, and retries for a minute. */
const retried =
  /429|500|502|503|504|524|rate(?= increased|[ _-]limit)|too[ _]many[ _]requests|overloaded|unavailable|exhausted|(?:internal|server|connection|network)[ _-](?=error)|provider[ _-]returned[ _-]error|terminated|failed to fetch|fetch failed|upstream connect|connection (?=refused|lost)|socket (?=connection was closed|hang up)|reset before headers|getaddrinfo|enotfound|eai_again|econn|etimedout|^timeout$|time(?:d )?[ -]?out|(?:try|retry) your request|try again|at capacity/gi

/** The same text to a reader, with an invisible joiner in the words that OpenCode looks for. @param {string} text */
export const notForRetry = (text) => text.replace(retried, (found) => `${found[0]}\u2060${found.slice(1)}`)
