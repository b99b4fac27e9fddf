/** What the client library says of itself, in our words: people know Redis, not the options of a library. */
const OWN_WORDS: readonly (readonly [RegExp, string])[] = [
  [/max retries per request|Connection is closed|Node is disconnected|Stream isn't writeable/, 'the connection broke'],
  [/Command timed out|^timeout$/, 'no answer in time'],
  [/Socket timeout/, 'no answer on a connection, which was given up'],
  [/Failed to refresh slots cache|None of startup nodes|Cluster isn't ready/, 'no node of the cluster answers'],
  [/Cluster is disconnect/, 'the connection is being closed'],
  [/Invalid node key|No master node/, 'the cluster has no master for it'],
]

/** Why a call failed, without the words of the client library; what servers and the network say stays as it is. */
export function clientReason(text: string): string {
  return OWN_WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? text
}
