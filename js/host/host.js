// The seam between the orchestrator (js/plugin, and the engine behind it) and the coding agent that hosts it. Types only:
// an adapter (js/host/opencode1) implements `Host` and calls `Orchestrator`; js/plugin does the reverse and knows no
// adapter. docs/design/host-seam.md describes both directions and how to add an adapter.

/**
 * Properties of the host that the orchestrator depends on.
 * @typedef {object} Traits
 * @property {"run" | "serve" | "tui"} [mode]  how the host was started; undefined: a short command, no mission can run
 * @property {boolean} interactive   a person is there to answer questions
 * @property {boolean} endsWhenIdle  the process ends when the session that it was started for goes idle
 */

/**
 * Operations: what the orchestrator asks of the host. Each rejects with an Error whose message a person can read.
 * @typedef {object} Host
 * @property {Traits} traits
 * @property {(wanted: NewSession) => Promise<string>} createSession  resolves to the session's id
 * @property {(prompt: Prompt) => Promise<void>} promptSession  resolves when the host has the prompt, before any answer
 * @property {(session: string) => Promise<void>} stopSession  ends the turn that runs
 * @property {(session: string, directory?: string) => Promise<SessionLook>} inspectSession
 * @property {(family: Family) => Promise<FoundFamily>} findSessions
 * @property {(directory: string, signal: AbortSignal) => Promise<void>} openDirectory
 *   brings up the host's services for a directory; after the signal's abort it asks the host nothing more, and rejects
 * @property {(directory: string) => Promise<void>} closeDirectory  ends the host's services for a directory
 * @property {(rejection: PermissionRejection) => Promise<void>} rejectPermission  the session's turn goes on with the words
 * @property {(notice: Notice) => Promise<void>} notify  shows a person a line of text
 */

/**
 * @typedef {object} NewSession
 * @property {string} parent      the session that it is a child of; the child inherits what that one is denied
 * @property {string} title
 * @property {string} [directory] where it works; default: the project
 * @property {SessionMark} mark   what the host stores with the session, and `findSessions` reads
 *
 * @typedef {{mission: string, role: string, task: string, attempt: number, effect: number}} SessionMark
 */

/**
 * @typedef {object} Prompt
 * @property {string} session
 * @property {string} role     the host knows which of its agents plays it
 * @property {string} [model]  "provider/model"; default: the session's own
 * @property {string} text
 * @property {number} effect   stored with the prompt, so that a later process knows which prompts the host has
 * @property {boolean} [stored]  only stored: a turn that runs reads it, none begins
 */

/**
 * A session's present state.
 * @typedef {{exists: boolean, busy: boolean, in_tool: boolean, answered: boolean}} SessionLook
 */

/**
 * The sessions that a process looks for when it takes over a mission.
 * @typedef {object} Family
 * @property {string} mission
 * @property {string[]} parents      the children of these that carry the mission's mark
 * @property {string[]} known        these, wherever they are
 * @property {string[]} submissions  names of the mission tools whose unanswered calls are wanted
 *
 * @typedef {object} FoundFamily
 * @property {FoundSession[]} sessions
 * @property {UnansweredCall[]} unanswered  submissions that no engine has answered
 * @property {string[]} deleted             parents that the host does not have any more
 * @property {Map<string, string>} worktrees  session -> its directory, of the sessions that work in a worktree
 *
 * @typedef {{session: string, creation: number, busy: boolean, in_tool: boolean, answered: boolean, prompt: number}} FoundSession
 *   `creation`: the effect in its mark; `prompt`: the effect of the prompt that it answers or has answered, 0: none
 * @typedef {{session: string, tool: string, id: string, args: any, prompt: number}} UnansweredCall
 */

/**
 * @typedef {{permission: string, session: string, directory?: string, message: string}} PermissionRejection
 * @typedef {{variant: "info" | "success" | "warning" | "error", text: string}} Notice
 */

/**
 * The orchestrator as one instance of an adapter sees it.
 * @typedef {object} Orchestrator
 * @property {Contribution} contribution  what the adapter registers with the host
 * @property {boolean} open               false: this instance has ended, or an earlier one has not ended yet
 * @property {(session: string) => boolean} watches  whether facts of this session are wanted; cheap, called for each event
 * @property {(session: string) => boolean} owns     whether a mission has made this session
 * @property {(fact: Fact) => void} tell  never blocks, never throws
 * @property {Gates} gates
 * @property {(call: MissionCall) => Promise<string>} callTool  a model calls a mission tool; rejects with a refusal's text
 * @property {(session: string, call: string) => void} toolEnded  a host tool call ended for which `afterTool` is not called
 * @property {() => void} close           the instance ends; the host ends the calls that wait
 * @property {() => boolean} isNewest     whether no later instance has the directory
 * @property {(over: Promise<void>) => void} reloading
 *   the host throws its instance of the directory away and goes on; `over` resolves when it has
 */

/**
 * @typedef {object} Contribution
 * @property {ReadonlyMap<string, import("../plugin/roles.js").Role>} roles
 * @property {Record<string, string>} commands  name -> description
 * @property {Record<string, import("../plugin/tools.js").MissionTool>} tools
 * @property {Record<string, string[]>} hostTools  role -> names of the host's own tools that it works with
 */

/**
 * Gates: questions that the host waits on. Each has a deadline and a safe answer, except `request` and
 * `turnEnding`: they wait as long as a mission needs, until the session is aborted.
 * @typedef {object} Gates
 * @property {() => Promise<HostSettings>} settings  asked when the host starts
 * @property {(command: UserCommand) => Promise<Answer>} command  a person's `/task`, `/stop`, …
 * @property {(asked: {session: string, role: string}) => Promise<SessionBrief>} system  what to add to a system prompt
 * @property {(request: ModelRequest) => Promise<RequestLeave>} request  called right before a model request is sent
 * @property {(call: HostToolCall) => Promise<string | undefined>} beforeTool  resolves to the refusal's text, if refused
 * @property {(call: HostToolCall & {ran?: CommandEnd}) => Promise<string>} afterTool  text to add to the tool's output
 * @property {(session: string) => Promise<string>} turnEnding
 *   where `endsWhenIdle` holds, before a turn ends that uses no tool: text that keeps the turn going, or ""
 */

/**
 * @typedef {{ok: boolean, text: string}} Answer
 * @typedef {{snapshots?: string}} HostSettings  snapshots: "off" where the host must take none
 * @typedef {{session: string, name: string, text: string}} UserCommand
 */

/**
 * @typedef {object} SessionBrief
 * @property {string} role          whose instructions these are
 * @property {string} instructions
 * @property {string} card          the task's card, once the conversation was compacted; else ""
 * @property {boolean} capped       its mission has a budget: the adapter measures its requests
 */

/**
 * @typedef {object} ModelRequest
 * @property {string} session
 * @property {boolean} [auxiliary]  the host's own, such as a title
 * @property {string} model         "provider/model"
 * @property {number} bytes         of the request's text, at least
 * @property {number} outputMax     tokens that the answer may have
 * @property {number} inputUsd      per million tokens
 * @property {number} outputUsd
 *
 * @typedef {{refused?: string, outputMax?: number}} RequestLeave
 */

/**
 * A call of one of the host's own tools. `kind` says what it does, whatever the host calls the tool.
 * @typedef {object} HostToolCall
 * @property {string} session
 * @property {string} call         its id, unique in the session
 * @property {"command" | "write" | "other"} kind
 * @property {string} tool         the host's name of the tool, for messages
 * @property {string[]} [paths]    of a write
 * @property {string} [command]    of a command
 *
 * @typedef {{exitCode: number, workdir: string, output: string}} CommandEnd  exitCode -1: killed or timed out
 */

/**
 * A call of a mission tool.
 * @typedef {object} MissionCall
 * @property {string} tool
 * @property {string} session
 * @property {any} args
 * @property {AbortSignal} [signal]   the host has given the call up
 * @property {CallDisplay} [display]
 *
 * @typedef {object} CallDisplay
 * @property {(progress: {title: string, text: string}) => Promise<void>} show
 * @property {() => Promise<void>} clear  the call ends: removes the progress, which no model may read
 * @property {() => void} abandon         the host ended the call: shows nothing any more
 */

/**
 * Facts: events that the host reports. The names and fields are the engine's own (include/orchestrator/event.h).
 * @typedef {{session: string}} OfSession
 * @typedef {OfSession & {type: "turn_started", model?: string}} TurnStarted  without `model`: the turn that runs is alive
 * @typedef {OfSession & {type: "turn_ended", tokens: number, usd: number, stopped: boolean, model: string, empty: boolean,
 *   failed: boolean, message: string}} TurnEnded
 * @typedef {OfSession & {type: "session_idled" | "session_compacted" | "session_deleted"}} SessionChanged
 * @typedef {OfSession & {type: "session_errored", name: string, message: string, status: number}} SessionErrored
 * @typedef {OfSession & {type: "session_retried", message: string, attempt: number, delay_ms: number}} SessionRetried
 * @typedef {OfSession & {type: "permission_asked", permission: string, what: string}} PermissionAsked
 * @typedef {OfSession & {type: "permission_answered", permission: string, allowed: boolean}} PermissionAnswered
 * @typedef {OfSession & {type: "tool_failed", tool: string, error: string, running: boolean, garbled: boolean}} ToolFailed
 * @typedef {OfSession & {type: "user_spoke", text: string}} UserSpoke
 * @typedef {TurnStarted | TurnEnded | SessionChanged | SessionErrored | SessionRetried | PermissionAsked
 *   | PermissionAnswered | ToolFailed | UserSpoke} Fact
 */

export {}
