import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Hexadecimal state of a listening socket in /proc/net/tcp. */
const LISTEN = '0A'

/**
 * Who listens on a port, as `name (process id)`, from /proc (proc(5)). Undefined: nobody, or this is no Linux.
 * `unknown`: somebody whose processes this user may not look into.
 */
export function portHolder(port: number): string | undefined {
  const sockets = new Set([...listening('/proc/net/tcp', port), ...listening('/proc/net/tcp6', port)])
  if (sockets.size === 0) return undefined
  for (const processId of readDirectory('/proc').filter((name) => /^\d+$/.test(name))) {
    const descriptors = readDirectory(`/proc/${processId}/fd`)
    if (descriptors.some((descriptor) => sockets.has(linkOf(`/proc/${processId}/fd/${descriptor}`)))) {
      return `${nameOf(processId)} (process ${processId})`
    }
  }
  return 'unknown'
}

/** Where a process listens over IPv4, from /proc (proc(5)). Empty: nowhere, or this user may not look. */
export function addressesOf(processId: number): { host: string; port: number }[] {
  const directory = `/proc/${processId}/fd`
  const sockets = new Set(readDirectory(directory).map((descriptor) => linkOf(`${directory}/${descriptor}`)))
  return listeners('/proc/net/tcp')
    .filter(({ link }) => sockets.has(link))
    .map(({ address }) => {
      const [host = '', port = ''] = address.split(':')
      // One number in the order of this machine's bytes: the last byte of the address comes first.
      return { host: Buffer.from(host, 'hex').reverse().join('.'), port: Number.parseInt(port, 16) }
    })
}

/** Whether a process has given itself this title. */
export function hasTitle(processId: number, title: string): boolean {
  return readText(`/proc/${processId}/cmdline`).startsWith(title)
}

/**
 * The kernel keeps 15 characters of a name (`zaslon verdict-`). A process that gave itself a title wrote it over its
 * arguments, where all of it stands; what else stands there may be a secret and is left out.
 */
function nameOf(processId: string): string {
  const name = readText(`/proc/${processId}/comm`).trim()
  const [title = ''] = readText(`/proc/${processId}/cmdline`).split('\0')
  return title.startsWith(name) && name !== '' ? title.trim() : name
}

/** Links (`socket:[inode]`) of the sockets that listen on the port. */
function listening(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return listeners(table)
    .filter(({ address }) => address.endsWith(suffix))
    .map(({ link }) => link)
}

function listeners(table: string): { address: string; link: string }[] {
  return readText(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === LISTEN)
    .map((columns) => ({ address: columns[1] ?? '', link: `socket:[${columns[9]}]` }))
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function readDirectory(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    return ''
  }
}
