/** A progress bar of one line; where the output is no terminal, a line at each tenth. */

const WIDTH = 30

export const progressLine = (label: string, done: number, total: number): string => {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * WIDTH)
  const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled)
  return `${label.padEnd(10)} ${bar} ${String(done).padStart(String(total).length)}/${total}`
}

export const makeProgressBar = (label: string, total: number, out: NodeJS.WriteStream) => {
  let tenths = -1
  return {
    update: (done: number): void => {
      if (out.isTTY) {
        out.write(`\r${progressLine(label, done, total)}`)
        return
      }
      const reached = total === 0 ? 10 : Math.floor((done / total) * 10)
      if (reached > tenths) out.write(`${progressLine(label, done, total)}\n`)
      tenths = Math.max(tenths, reached)
    },
    finish: (): void => {
      if (out.isTTY) out.write("\n")
    },
  }
}
