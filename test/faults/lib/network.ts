import { type Cleanup, NAME_PREFIX } from './cleanup.ts'
import { run, succeeds } from './shell.ts'

/**
 * Hosts of their own on one machine: network namespaces on a bridge that stands in a namespace too. Rules are only ever set
 * inside these namespaces; of the machine's own network there is one link, to reach them.
 */
export type Host = {
  readonly address: string
  /** Put before a command to run it on this host. */
  readonly prefix: readonly string[]
  /** Packets to or from this port of the host vanish; 'both' cuts answers as well as questions. */
  drop(port: number, direction: 'in' | 'out' | 'both'): void
  /** Connections to this port are answered with a reset. */
  reject(port: number): void
  /** This share (0..1) of the packets in both directions vanishes. */
  lose(share: number): void
  /** What the host sends is held to this rate. */
  shape(kilobitsPerSecond: number): void
  setLink(isUp: boolean): void
  /** Nothing passes between this host and these addresses; everybody else reaches it. */
  cutFrom(addresses: readonly string[]): void
  /** Takes back everything but the link itself. */
  heal(): void
}

export type Network = { addHost(name: string): Host }

/** 10.213.x.0/24, x of the process id: two runs at once do not meet. */
export function makeNetwork(cleanup: Cleanup): Network {
  const subnet = `10.213.${process.pid % 250}`
  const hub = `${NAME_PREFIX}hub`
  const outside = `${NAME_PREFIX}x`
  const inHub = (...command: string[]) => run('ip', 'netns', 'exec', hub, ...command)
  run('ip', 'netns', 'add', hub)
  cleanup.defer(() => void succeeds('ip', 'netns', 'del', hub))
  inHub('ip', 'link', 'add', 'bridge', 'type', 'bridge')
  inHub('ip', 'link', 'set', 'bridge', 'up')
  run('ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', 'x', 'netns', hub)
  cleanup.defer(() => void succeeds('ip', 'link', 'del', outside))
  run('ip', 'address', 'add', `${subnet}.1/24`, 'dev', outside)
  run('ip', 'link', 'set', outside, 'up')
  inHub('ip', 'link', 'set', 'x', 'master', 'bridge', 'up')
  let hosts = 0

  return {
    addHost(name) {
      const index = ++hosts
      const space = `${NAME_PREFIX}${name}`
      const address = `${subnet}.${index + 1}`
      // Not `ip netns exec`, which copies the mounts of the moment: a disk of another run would stay mounted as long as its processes.
      const prefix = ['nsenter', `--net=/run/netns/${space}`]
      const inside = (...command: string[]) => run('ip', 'netns', 'exec', space, ...command)
      run('ip', 'netns', 'add', space)
      cleanup.defer(() => void succeeds('ip', 'netns', 'del', space))
      run('ip', '-n', space, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `h${index}`, 'netns', hub)
      inside('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0')
      inside('ip', 'link', 'set', 'eth0', 'up')
      inside('ip', 'link', 'set', 'lo', 'up')
      inHub('ip', 'link', 'set', `h${index}`, 'master', 'bridge', 'up')
      return {
        address,
        prefix,
        drop(port, direction) {
          const tcp = ['-p', 'tcp']
          if (direction !== 'out') inside('iptables', '-A', 'INPUT', ...tcp, '--dport', String(port), '-j', 'DROP')
          if (direction !== 'in') inside('iptables', '-A', 'OUTPUT', ...tcp, '--sport', String(port), '-j', 'DROP')
        },
        reject(port) {
          const how = ['-j', 'REJECT', '--reject-with', 'tcp-reset']
          inside('iptables', '-A', 'INPUT', '-p', 'tcp', '--dport', String(port), ...how)
        },
        lose(share) {
          for (const chain of ['INPUT', 'OUTPUT']) {
            const how = ['-m', 'statistic', '--mode', 'random', '--probability', String(share), '-j', 'DROP']
            inside('iptables', '-A', chain, ...how)
          }
        },
        shape(kilobitsPerSecond) {
          const rate = ['rate', `${kilobitsPerSecond}kbit`, 'burst', '16kb', 'latency', '400ms']
          inside('tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', ...rate)
        },
        cutFrom(addresses) {
          for (const other of addresses) {
            inside('iptables', '-A', 'INPUT', '-s', other, '-j', 'DROP')
            inside('iptables', '-A', 'OUTPUT', '-d', other, '-j', 'DROP')
          }
        },
        setLink: (isUp) => void inside('ip', 'link', 'set', 'eth0', isUp ? 'up' : 'down'),
        heal() {
          succeeds('ip', 'netns', 'exec', space, 'iptables', '-F')
          succeeds('ip', 'netns', 'exec', space, 'tc', 'qdisc', 'del', 'dev', 'eth0', 'root')
        },
      }
    },
  }
}
