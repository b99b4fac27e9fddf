import { describe, it } from 'vitest'
import { listenOnNode } from '../../src/transports/data-plane/node.ts'
import { listenOnUws, uwsReport } from '../../src/transports/data-plane/uws.ts'
import { verdictServerContract } from './verdict-server.contract.ts'

verdictServerContract('node:http with ws', listenOnNode)

const uws = uwsReport()
if (uws.isAvailable) {
  verdictServerContract(`uWebSockets.js ${uws.version}`, listenOnUws)
} else {
  describe('uWebSockets.js as a VerdictServer', () => {
    it.skip(`does not load here: ${uws.problem}`, () => {})
  })
}
