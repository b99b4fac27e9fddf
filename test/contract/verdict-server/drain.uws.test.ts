import net from 'node:net'
import { expect, it } from 'vitest'
import { listenOnUws, uwsReport } from '../../../src/transports/data-plane/uws.ts'
import { pause, post } from './raw-client.ts'
import { LISTED, SERVER_OPTIONS, screenedWorld } from './screened-world.ts'

it.skipIf(!uwsReport().isAvailable)(
  'answers the request that a kept connection sends while the server stops, and then ends the connection',
  async () => {
    const server = await listenOnUws(SERVER_OPTIONS, screenedWorld().handler)
    const socket = net.connect(server.port, '127.0.0.1')
    let text = ''
    socket.on('data', (data) => {
      text += data.toString()
    })
    const ended = new Promise((resolve) => socket.on('close', resolve))
    const request = post('/v1/verdict', `{"caller":"${LISTED}"}`)
    socket.write(request)
    await pause(50)
    const closing = server.close()
    await pause(50)
    socket.write(request)
    await Promise.all([closing, ended])
    expect(text.match(/"decision":"block"/g)).toHaveLength(2)
  },
)
