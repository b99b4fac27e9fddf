import type { FaultCase } from '../lib/fault-case.ts'
import { nodeKilled, nodePowerCut } from './a01-node-killed.ts'
import { verdictAborted, verdictKilled } from './a01-verdict-killed.ts'
import { verdictFrozen } from './a03-verdict-frozen.ts'
import { eventLoopStall } from './a04-event-loop-stall.ts'
import { supervisorKilled } from './a05-supervisor-killed.ts'
import { sigterm } from './a06-sigterm.ts'
import { memoryPressure } from './a07-memory-pressure.ts'
import { cpuStarved } from './a08-cpu-starved.ts'
import { openFilesExhausted } from './a09-open-files.ts'
import { diskFull } from './a10-disk-full.ts'
import { diskReadOnly } from './a11-disk-read-only.ts'
import { fsyncFails } from './a12-fsync-fails.ts'
import { powerCut } from './a13-power-cut.ts'
import { gateDamaged } from './a14-gate-damaged.ts'
import { slowDisk } from './a15-slow-disk.ts'
import { delay } from './a16-delay.ts'
import { bandwidth } from './a17-bandwidth.ts'
import { packetLoss } from './a18-loss.ts'
import { blackHole } from './a19-black-hole.ts'
import { resetStorm } from './a20-resets.ts'
import { masterFrozen, masterKilled } from './a21-master-killed.ts'
import { emptyReplicaPromoted, oldBackup, redisEmptied } from './a23-redis-loses-data.ts'
import { redisFull } from './a24-redis-full.ts'
import { resharding } from './a25-resharding.ts'
import { splitBrain } from './a26-split-brain.ts'
import { clockJump } from './a27-clock-jump.ts'
import { noNames } from './a28-no-names.ts'
import { twoImports } from './a29-two-imports.ts'
import { twoNodesImport } from './a29-two-nodes-import.ts'
import { newerFormat } from './a30-newer-format.ts'
import { failovers } from './failover.ts'
import { strictFailovers } from './failover-strict.ts'
import { kill } from './kill.ts'
import { soak } from './soak.ts'

export const CASES: readonly FaultCase[] = [
  verdictKilled,
  verdictAborted,
  verdictFrozen,
  eventLoopStall,
  supervisorKilled,
  sigterm,
  memoryPressure,
  cpuStarved,
  openFilesExhausted,
  diskFull,
  diskReadOnly,
  fsyncFails,
  powerCut,
  gateDamaged,
  slowDisk,
  delay,
  bandwidth,
  packetLoss,
  blackHole,
  resetStorm,
  masterKilled,
  masterFrozen,
  redisEmptied,
  emptyReplicaPromoted,
  oldBackup,
  redisFull,
  resharding,
  splitBrain,
  clockJump,
  noNames,
  twoImports,
  twoNodesImport,
  nodeKilled,
  nodePowerCut,
  newerFormat,
  kill,
  failovers,
  strictFailovers,
  soak,
]
