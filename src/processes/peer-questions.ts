import type { AnsweredMessage, VerdictAnswer, VerdictQuestion } from './messages.ts'

/**
 * Questions of the control process that only the memory of verdict processes can answer. Every process that is up is
 * asked through the supervisor; one that does not answer in time costs a bounded wait and is left out.
 */
export type PeerQuestions = {
  onPeers(labels: readonly string[]): void
  onAnswered(message: AnsweredMessage): void
  /** The answers that came in time, in no order; none when no verdict process is up. */
  ask(question: VerdictQuestion, timeoutMs: number): Promise<readonly VerdictAnswer[]>
}

/** Questions in the air; one more is answered by nobody. */
const OPEN_MAX = 1_024

type Open = { readonly waiting: Set<string>; readonly answers: VerdictAnswer[]; readonly finish: () => void }

export function createPeerQuestions(dependencies: {
  readonly send: (id: number, question: VerdictQuestion) => void
}): PeerQuestions {
  let labels: readonly string[] = []
  const open = new Map<number, Open>()
  let lastId = 0

  function settle(question: Open): void {
    if (question.waiting.size === 0) question.finish()
  }

  return {
    onPeers(current) {
      labels = current
      for (const question of [...open.values()]) {
        for (const label of question.waiting) if (!current.includes(label)) question.waiting.delete(label)
        settle(question)
      }
    },
    onAnswered({ id, label, answer }) {
      const question = open.get(id)
      if (question === undefined || !question.waiting.delete(label)) return
      question.answers.push(answer)
      settle(question)
    },
    ask(question, timeoutMs) {
      if (labels.length === 0 || open.size >= OPEN_MAX) return Promise.resolve([])
      const id = ++lastId
      return new Promise((resolve) => {
        const answers: VerdictAnswer[] = []
        const finish = () => {
          clearTimeout(timer)
          open.delete(id)
          resolve(answers)
        }
        const timer = setTimeout(finish, timeoutMs)
        open.set(id, { waiting: new Set(labels), answers, finish })
        dependencies.send(id, question)
      })
    },
  }
}
