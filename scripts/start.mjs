// npm start: installs, builds, and runs the whole service on the embedded store, with sample data in a new default
// data directory. Arguments go to `zaslon serve`.
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare.mjs'

await prepare()
// npm passes SIGTERM and SIGINT on, but one that was killed outright must not leave a service behind that nobody sees.
if (process.env.npm_lifecycle_event === 'start') {
  const npm = process.ppid
  setInterval(() => process.ppid === npm || process.kill(process.pid, 'SIGTERM'), 1_000).unref()
}
const main = path.join(root, 'dist', 'src', 'cli', 'main.js')
process.argv = [process.execPath, main, 'serve', '--samples', ...process.argv.slice(2)]
await import(pathToFileURL(main).href)
