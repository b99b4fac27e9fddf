import { describe } from 'vitest'
import type { ListenVerdicts } from '../../src/transports/data-plane/verdict-server.ts'
import { accessContract } from './verdict-server/access.contract.ts'
import { batchContract } from './verdict-server/batch.contract.ts'
import { framingContract } from './verdict-server/framing.contract.ts'
import { httpContract } from './verdict-server/http.contract.ts'
import { lifecycleContract } from './verdict-server/lifecycle.contract.ts'
import { socketContract } from './verdict-server/socket.contract.ts'

/**
 * What a switch, and whoever is not one, gets from the verdict port over real sockets: the same on every adapter. After
 * each abuse the server must still answer a good request.
 */
export function verdictServerContract(name: string, listen: ListenVerdicts): void {
  describe(`${name} as a VerdictServer`, () => {
    httpContract(listen)
    accessContract(listen)
    batchContract(listen)
    framingContract(listen)
    socketContract(listen)
    lifecycleContract(listen)
  })
}
