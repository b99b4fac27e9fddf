import { EXIT } from './exit-codes.ts'

/** Ends the process quietly when whoever reads what it prints has seen enough (`zaslon decisions | head`): that is no error. */
export function endOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.ok)
      throw error
    })
  }
}
