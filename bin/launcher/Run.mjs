// Child processes of the launcher.
import { spawn } from "node:child_process"
import { constants } from "node:os"

const forwarded = ["SIGINT", "SIGTERM"]

/** Passes our signals on to the child while it runs; answers how to stop doing so. */
const forwardSignals = (child) => {
  const handlers = forwarded.map((signal) => [signal, () => child.kill(signal)])
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}

const exitCodeOf = (code, signal) => code ?? 128 + (constants.signals[signal] ?? 0)

/** Runs a tool to its end and keeps what it says: { code, stdout, output }. A missing program gives code 127. */
export const runQuietly = (command, args, options) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] })
    const stop = forwardSignals(child)
    let stdout = ""
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding("utf8").on("data", (text) => {
      output += text
    })
    child.on("error", (error) => {
      stop()
      resolve({ code: error.code === "ENOENT" ? 127 : 126, signal: null, stdout, output: String(error) })
    })
    child.on("close", (code, signal) => {
      stop()
      resolve({ code: exitCodeOf(code, signal), signal, stdout, output })
    })
  })

/**
 * npm gone without a word (kill -9) leaves us to the reaper: then the program is told to stop in an orderly way.
 * Only under npm: a launcher started by hand may well outlive the shell that started it.
 */
const watchNpm = (child) => {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM")
  }, 1000).unref()
}

/** Runs the program in our place: its terminal is ours, our signals are its signals, its exit code is ours. */
export const runInPlace = (command, args, options) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: "inherit" })
    const stop = forwardSignals(child)
    watchNpm(child)
    child.on("error", (error) => {
      stop()
      reject(error)
    })
    child.on("close", (code, signal) => {
      stop()
      resolve(exitCodeOf(code, signal))
    })
  })
