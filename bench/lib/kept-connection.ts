import { connect } from 'node:net'

/** One keep-alive connection to a verdict thread: the kernel chose which one when it was opened. */
export type KeptConnection = {
  /** The decision for this caller: a call without a call id, so the memory of recent calls plays no part. */
  verdict(caller: string): Promise<string>
  close(): void
}

export async function openKeptConnection(port: number): Promise<KeptConnection> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('utf8')
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return {
    verdict: (caller) =>
      new Promise((resolve, reject) => {
        let text = ''
        const onClose = () => reject(new Error(`The connection to port ${port} was closed.`))
        if (socket.destroyed) return onClose()
        const onData = (chunk: string) => {
          text += chunk
          const decision = /"decision":"(\w+)"/.exec(text)?.[1]
          if (!decision || !text.endsWith('}')) return
          socket.off('data', onData).off('error', reject).off('close', onClose)
          resolve(decision)
        }
        socket.on('data', onData).once('error', reject).once('close', onClose)
        const path = `/v1/verdict?caller=${encodeURIComponent(caller)}&callee=%2B79161234567`
        socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
      }),
    close: () => void socket.destroy(),
  }
}
