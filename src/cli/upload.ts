import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CliFailure } from './cli-failure.ts'
import type { CommandContext } from './command-context.ts'
import { EXIT } from './exit-codes.ts'
import type { ImportProgress } from './import-progress.ts'

/** Bytes to send; how many, when that is known before. */
export type UploadSource = { readonly chunks: AsyncIterable<Uint8Array>; readonly bytes?: number }

/** A file, or standard input for "-". Throws FILE_UNREADABLE before anything is sent. */
export async function openSource({ surroundings }: CommandContext, file: string): Promise<UploadSource> {
  if (file === '-') return { chunks: surroundings.stdin }
  try {
    const found = await stat(file)
    if (!found.isDirectory()) return { chunks: createReadStream(file), bytes: found.size }
  } catch (cause) {
    throw new CliFailure(EXIT.failed, `The file ${file} cannot be read.`, { code: 'FILE_UNREADABLE' }, { cause })
  }
  throw new CliFailure(EXIT.failed, `${file} is a directory, not a file.`, { code: 'FILE_UNREADABLE' })
}

/** Sends bytes as they are read, however many, and resolves with the answer. */
export async function upload(
  { client }: Pick<CommandContext, 'client'>,
  path: string,
  query: Readonly<Record<string, string | boolean | undefined>>,
  source: UploadSource,
  progress: ImportProgress,
): Promise<unknown> {
  const body = ReadableStream.from(countBytes(source, progress)) as ReadableStream<Uint8Array>
  return client.call('control', path, { method: 'POST', query, body, contentType: 'text/csv', timeoutMs: 0 })
}

async function* countBytes({ chunks, bytes }: UploadSource, progress: ImportProgress): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const chunk of chunks) {
    sent += chunk.length
    yield chunk
    if (bytes) progress.show('sending', Math.min(1, sent / bytes))
  }
}
