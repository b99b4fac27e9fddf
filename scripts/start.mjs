// npm start: installs, builds, and runs the whole service on the embedded store, with sample data in a new default
// data directory. Arguments go to `zaslon serve`.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { prepare, root } from './prepare.mjs'

await prepare()
const main = path.join(root, 'dist', 'src', 'cli', 'main.js')
const service = spawn(process.execPath, [main, 'serve', '--samples', ...process.argv.slice(2)], { stdio: 'inherit' })
// A terminal signals the whole group; a supervisor (systemd, a test) signals this process alone.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => service.kill(signal))
service.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
